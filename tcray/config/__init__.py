"""Configuration of a sweep: a YAML file, checked and read into frozen models; every problem has its line and column."""
