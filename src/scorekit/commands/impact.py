"""`scorekit impact`: what an energy means in a zone."""

from __future__ import annotations

import argparse
from typing import Final, Literal

from scorekit.errors import EXIT_DONE, UsageError

_PARTS: Final[tuple[Literal["cpu", "ram", "network", "storage"], ...]] = ("cpu", "ram", "network", "storage")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--energy-wh", metavar="WH", type=float, help="an energy in Wh, of the GPU or of whatever it is"
    )
    for part in _PARTS:
        parser.add_argument(f"--{part}-wh", metavar="WH", type=float, help=f"energy of {part} to add, in Wh")
    parser.add_argument("--zone", metavar="ZONE", help="a country's name or ISO alpha-3 code; WOR is the world")
    parser.add_argument("--mix", metavar="EDITION", help="edition of electricity mixes (default: installed ecologits)")
    parser.add_argument("--pue", metavar="X", type=float, help="the data centre's energy over its computers'")
    parser.add_argument(
        "--site-water", metavar="L", type=float, help="water that cools the data centre, in L per kWh of its computers"
    )
    parser.add_argument("--list-zones", action="store_true", help="list the zones of the edition with their factors")
    parser.add_argument("--list-mixes", action="store_true", help="list the editions of electricity mixes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Work out the impacts, or list what there is."""
    from scorekit import impacts
    from scorekit.api.footprints import worked_out
    from scorekit.tables.impact import footprint_table, names_table, zones_table
    from scorekit.verbs.output import show

    if options.list_mixes:
        mixes = [impacts.find_mix(name) for name in impacts.mix_names()]
        rows = [(mix.name, mix.source) for mix in mixes]
        show(
            [mix.model_dump(mode="json", exclude={"zones", "spellings"}) for mix in mixes],
            lambda layout: names_table("mix", rows, layout),
            as_json=options.json,
        )
        return EXIT_DONE
    if options.list_zones:
        mix = impacts.find_mix(options.mix or impacts.CURRENT)
        show(mix, lambda layout: zones_table(mix, layout), as_json=options.json)
        return EXIT_DONE
    if options.energy_wh is None or options.zone is None:
        missing = "--energy-wh" if options.energy_wh is None else "--zone"
        raise UsageError(f"{missing} is missing", mend="e.g. scorekit impact --energy-wh 35 --zone FRA")
    found = worked_out(
        options.energy_wh,
        zone=options.zone,
        mix=options.mix,
        pue=options.pue,
        site_water_l_per_kwh=options.site_water,
        added_wh={part: wh for part in _PARTS if (wh := getattr(options, f"{part}_wh")) is not None},
    )
    show(found, lambda layout: footprint_table(found, layout), as_json=options.json)
    return EXIT_DONE
