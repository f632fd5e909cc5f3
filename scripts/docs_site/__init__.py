"""The documentation's site: pages of docs/, what is generated from the code, and pictures that scorekit draws itself.

`python -m scripts.docs_site` gathers all of it as plain Markdown into a folder, has MkDocs make HTML of it, and checks
the HTML. The generator gets nothing but Markdown, files and mkdocs.yml, so that another one can take its place.
"""
