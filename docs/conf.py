"""How the documentation is built: ``sphinx-build -W -b html docs docs/_build``."""

from krakenasync import __version__

project = "krakenasync"
author = "The krakenasync authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"krakenasync {release}"
exclude_patterns = ["_build"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures name them; msgspec's annotated types are long when spelled out twice
autodoc_class_signature = "separated"
napoleon_use_ivar = True
default_role = "literal"  # docstrings write `names` between single backticks
