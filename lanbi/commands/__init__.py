"""One module a program: ``configure(parser)`` adds its arguments, ``run(args)`` does the work and returns the exit code."""
