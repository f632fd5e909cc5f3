"""The portal: submissions and requests of strangers in, decisions of operators, results and a site out.

Three layers, each knowing only those below it: `storage` keeps rows, blobs and the audit log; `ledger` is what may
happen to a submission, a request or a job, one transaction each; `web` is how people and programs ask for it.
"""
