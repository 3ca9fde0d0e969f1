"""The others: how each is prepared and asked for first, no_op, code and down."""
