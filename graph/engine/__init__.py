"""The executor and the declarations it plans from; knows nothing of customers."""
