"""The portal on the web: pages for people, an API for programs, and what guards both.

    from scorekit.portal.web.app import create_app
    app = create_app(portal)

`access` lets people and programs in, `answers` says why something is refused, `rendering` makes pages. Modules of
`pages` and `api` hold the routes, each in its `router`.
"""
