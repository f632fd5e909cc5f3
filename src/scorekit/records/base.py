"""What every record shares: immutable, strict about names, and able to say what is wrong with a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class Record(BaseModel):
    """Base of all records: immutable, and strict about names, so that a typo in a file is an error."""

    # A meter may say NaN. As "NaN" it stays what it was in a file that is still JSON; the default would write null,
    # which means missing.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), ser_json_inf_nan="strings")


def first_complaint(error: ValidationError) -> str:
    """The first thing that is wrong with a file's content, with the field it is about."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}" if field else problem["msg"]
