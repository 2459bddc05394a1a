"""``python -m lanbi`` is the command ``lanbi``."""

from lanbi.cli import main

raise SystemExit(main())
