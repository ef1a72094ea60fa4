"""Documents to the units that are translated."""
