"""What a request may ask for at most."""

MAX_SOURCE = 100_000
"""Characters of a document."""
MAX_TOKENS = 5_000
MAX_DEPTH = 15
"""Fields within fields; introspection has a rule of its own."""
MAX_NESTING = 64
"""Brackets within brackets, of any kind, before anything is parsed."""
MAX_BLOCKS = 500
"""Braces opened in a document, before anything is parsed: parsing thousands of them takes longer than refusing may."""
MAX_ALIASES = 30
MAX_FIELDS = 1_000
"""Selected fields once all fragments are spread."""
MAX_DIRECTIVES = 60
MAX_OPERATIONS = 20
MAX_COST = 50_000
MAX_PAGE = 200
MAX_WALK = 50
"""Hops of a lineage question (`depth`)."""
MAX_NODES = 20_000
MAX_VARIABLES_DEPTH = 32
DEADLINE = 10.0
"""Seconds after which a walk answers with what it has."""
