"""Many models: a list becomes a plan, the plan becomes Hydra jobs, and what they leave says what is still to do.

    list -> plan -> jobs of one config each -> Hydra launcher (local, or an engine) -> runs and attempts -> states

Whether a job is done is told by its run alone, never by an engine's word. docs/sweeps.md is the walk through.
"""
