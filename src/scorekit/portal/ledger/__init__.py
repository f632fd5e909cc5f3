"""What may happen at the portal: one function a step, each one transaction with its line in the audit log.

    uploads ─▶ submissions ─▶ (checked) ─▶ decisions ─▶ publications ─▶ sites
                    ▲
    requests ─▶ decisions ─▶ jobs (worker)

A step that has been done is not done again: asked a second time it answers as it did the first time, or refuses.
"""
