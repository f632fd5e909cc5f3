"""The portal as one application: its routes, its answers to errors, and around them what guards it.

From the outside in: headers, the journal (which also answers what nobody expected), limits of one address, the host's
name, then the routes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import ModuleType

from fastapi import APIRouter, FastAPI

from scorekit import __version__
from scorekit.portal.opened import Portal
from scorekit.portal.web import answers, api, health, login, oauth, pages, static
from scorekit.portal.web.addresses import API, OPENAPI
from scorekit.portal.web.headers import HeaderMiddleware, HostMiddleware
from scorekit.portal.web.limits import LimitMiddleware, Limits
from scorekit.portal.web.observing import ObserveMiddleware

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def create_app(portal: Portal, *, lifespan: Lifespan = _nothing) -> FastAPI:
    """The application of an open portal.

    Args:
        portal: that it serves; whoever opened it closes it.
        lifespan: what runs beside it.
    """
    app = FastAPI(
        title="scorekit submission portal",
        version=__version__,
        description="Hand in measured runs, ask for measurements, and decide about both.",
        openapi_url=OPENAPI,
        # Both would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # It would make an address of the host's name and the wrong scheme.
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.portal = portal
    app.state.limits = Limits(portal.settings)
    answers.install(app)
    # Routes are looked through in their order, and programs ask more often than people.
    for router in routers(api):
        app.include_router(router, prefix=API, responses=answers.PROBLEMS)
    for router in (static.router, health.router, login.router, *routers(pages)):
        app.include_router(router, include_in_schema=False)
    # The last one that is added stands outermost.
    if portal.settings.oauth:
        oauth.install(app, portal.settings)
    app.add_middleware(HostMiddleware, settings=portal.settings)
    app.add_middleware(LimitMiddleware, settings=portal.settings, limits=app.state.limits)
    app.add_middleware(ObserveMiddleware)
    app.add_middleware(HeaderMiddleware, settings=portal.settings)
    return app


def routers(package: ModuleType) -> Iterator[APIRouter]:
    """The router of every module of a package that has one, by name."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        router = getattr(importlib.import_module(f"{package.__name__}.{found.name}"), "router", None)
        if isinstance(router, APIRouter):
            yield router
