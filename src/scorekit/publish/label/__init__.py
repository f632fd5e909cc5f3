"""Energy labels: what a rating says, as a picture that can be printed, and in forms that machines read.

    rated = rated_at(Path("runs/llama"), edition)
    facts = label_facts(rated.rating, rated.subject, link="https://example.org/results/3f9a")
    Path("label.svg").write_text(svg(facts))

Of a model without a result there may be a published figure: `published("org/model", editions)` gives its facts.

A result that is not comparable with official ones gets a label that cannot be taken for an official one. PNG and
PDF need the extra `publish`; SVG, badge and card do not. docs/labels.md tells more.
"""

from scorekit.publish.label.facts import LabelFacts, label_facts
from scorekit.publish.label.published import names_of, published
from scorekit.publish.label.rated import Rated, rated_at, rated_in

__all__ = ["LabelFacts", "Rated", "label_facts", "names_of", "published", "rated_at", "rated_in"]
