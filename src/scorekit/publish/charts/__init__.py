"""Charts: each a pure function from plain rows to a Vega-Lite specification by Altair, with its table and its words.

A `Chart` is drawn without a browser by `pictures`, and in a page by `figure` and the site's charts.js.
"""

from scorekit.publish.charts.chart import Chart, Column
from scorekit.publish.charts.cohort import cohort_chart
from scorekit.publish.charts.compare import compare_chart
from scorekit.publish.charts.csv_text import csv_text
from scorekit.publish.charts.extremes import ends, extremes_chart
from scorekit.publish.charts.figure import SharedSpecs, figure
from scorekit.publish.charts.history import HistoryPoint, history_chart
from scorekit.publish.charts.looks import DARK, LIGHT, LOOKS, Look
from scorekit.publish.charts.parameters import parameters_chart
from scorekit.publish.charts.phases import PhaseShare, phases_chart
from scorekit.publish.charts.pictures import png, svg
from scorekit.publish.charts.points import ModelEnergy
from scorekit.publish.charts.quality_energy import ModelQuality, quality_chart
from scorekit.publish.charts.runtime import runtime_files, undrawn
from scorekit.publish.charts.task_energies import TaskSpread, tasks_chart
from scorekit.publish.charts.uncertainty_budget import BudgetTerm, budget_chart
from scorekit.publish.charts.world import world_chart
from scorekit.publish.charts.zone_bars import zones_chart
from scorekit.publish.charts.zone_impacts import ZoneImpact

__all__ = [
    "DARK",
    "LIGHT",
    "LOOKS",
    "BudgetTerm",
    "Chart",
    "Column",
    "HistoryPoint",
    "Look",
    "ModelEnergy",
    "ModelQuality",
    "PhaseShare",
    "SharedSpecs",
    "TaskSpread",
    "ZoneImpact",
    "budget_chart",
    "cohort_chart",
    "compare_chart",
    "csv_text",
    "ends",
    "extremes_chart",
    "figure",
    "history_chart",
    "parameters_chart",
    "phases_chart",
    "png",
    "quality_chart",
    "runtime_files",
    "svg",
    "tasks_chart",
    "undrawn",
    "world_chart",
    "zones_chart",
]
