"""`python -m emulator` is the command `lyceum-emulator`."""

from emulator.cli import main

main()
