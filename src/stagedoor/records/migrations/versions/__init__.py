"""One file a change: `NNNN_what.py`, revision `NNNN`."""
