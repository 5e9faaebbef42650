"""The command `charye`: one module for each command. `main` puts them together."""
