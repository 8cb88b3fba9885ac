"""Status of a running sweep: collected by the driver, displayed on a terminal."""
