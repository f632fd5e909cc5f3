"""What Hydra finds by itself where scorekit is installed: the sweeper of plans. Engines' launchers belong here too.

Hydra accepts plugins from the namespace package `hydra_plugins` alone, and imports all of it when any Hydra app of the
environment starts; so these modules import nothing but Hydra at their top. It runs them before they are in sys.modules,
where dataclasses look up annotations that are strings: no module here may have `from __future__ import annotations`.
"""
