"""`scorekit results`: the results store: add to it, look into it, take data out of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

_FOLDER: Final = "results"
_LIST_LIMIT: Final = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands within the command, each with its arguments."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    add = commands.add_parser("add", help="add results; what is there already stays as it is")
    add.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="logs of any format, folders and archives of them, or files of results as scorekit parse writes them "
        "(JSON or JSON lines); - for such results on standard input",
    )
    add.add_argument(
        "--trusted",
        action="store_true",
        help="believe files of results that say they may stand beside official scores; otherwise only logs are, "
        "which are checked as they are read",
    )
    add.set_defaults(action=_add)

    listed = commands.add_parser("list", help="list results as a table")
    _add_selection(listed)
    listed.add_argument("--limit", metavar="N", type=int, default=_LIST_LIMIT, help="rows; 0 for all (default: 100)")
    listed.add_argument("--json", action="store_true", help="print the rows as a JSON array")
    listed.set_defaults(action=_list)

    show = commands.add_parser("show", help="show all that is known of a result, or of the results of a model")
    show.add_argument("wanted", metavar="ID-or-MODEL", help="the first 4 or more digits of an id, or a model's name")
    show.add_argument("--json", action="store_true", help="print the records as a JSON array")
    show.set_defaults(action=_show)

    export = commands.add_parser("export", help="write results to a file, with the units in the column names")
    _add_selection(export)
    export.add_argument("--limit", metavar="N", type=int, default=0, help="rows; 0 for all (default)")
    export.add_argument("--format", choices=("csv", "jsonl", "parquet"), required=True, help="format of the file")
    export.add_argument("-o", "--output", metavar="FILE", required=True, help="the file; - for standard output")
    export.set_defaults(action=_export)

    query = commands.add_parser("query", help="answer an SQL query over the table `results` (extra: data)")
    query.add_argument("sql", metavar="SQL", help='one statement; "DESCRIBE results" lists the columns')
    form = query.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the rows as a JSON array")
    form.add_argument("--csv", action="store_true", help="print the rows as CSV")
    query.set_defaults(action=_query)

    index = commands.add_parser("index", help="bring the index up to date, and tell which files are left out")
    index.add_argument("--full", action="store_true", help="read every file again, not only new and changed ones")
    index.set_defaults(action=_index)

    for command in (add, listed, show, export, query, index):
        command.add_argument(
            "--results",
            metavar="DIR",
            type=Path,
            default=Path(_FOLDER),
            help=f"the results folder (default: {_FOLDER})",
        )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", metavar="NAME", help="results of this task, by config name or leaderboard name")
    parser.add_argument("--model", metavar="TEXT", help="results of models whose name holds this")
    parser.add_argument("--class", dest="model_class", choices=("A", "B", "C"), help="results of this size class")
    parser.add_argument("--hardware", metavar="TEXT", help="results on hardware whose name holds this")
    parser.add_argument("--sort", metavar="COLUMN", help="order by a column (default: task, class and energy)")
    parser.add_argument("--descending", action="store_true", help="largest first")


def _add(options: argparse.Namespace) -> int:
    from scorekit.verbs import results

    return results.add(options.results, options.paths, trusted=options.trusted)


def _list(options: argparse.Namespace) -> int:
    from scorekit.verbs import results

    return results.list_results(options.results, results.selection(options), as_json=options.json)


def _show(options: argparse.Namespace) -> int:
    from scorekit.verbs import results

    return results.show(options.results, options.wanted, as_json=options.json)


def _export(options: argparse.Namespace) -> int:
    from scorekit.verbs import results

    return results.export(options.results, results.selection(options), kind=options.format, output=options.output)


def _query(options: argparse.Namespace) -> int:
    from scorekit.verbs import results

    return results.query(
        options.results, options.sql, form="json" if options.json else "csv" if options.csv else "table"
    )


def _index(options: argparse.Namespace) -> int:
    from scorekit.verbs import results

    return results.build_index(options.results, full=options.full)
