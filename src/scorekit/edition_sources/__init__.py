"""Where the members of an edition come from: official CSV files, a Space or dataset of the Hub, our own results."""
