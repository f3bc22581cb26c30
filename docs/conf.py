"""How Sphinx makes the site of these documents; `make docs` runs it (handbook/site.py)."""

project = "chamberlog"
html_title = "chamberlog"
author = copyright = ""  # noqa: A001  # Sphinx asks for it by this name
extensions = ["myst_parser"]
root_doc = "index"
myst_heading_anchors = 6
html_theme = "furo"
html_show_copyright = html_show_sphinx = html_copy_source = html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["entities.css"]
suppress_warnings = ["misc.highlighting_failure"]  # examples of JSON leave things out by three dots
nitpicky = True
