-- `latchkey hotel delete`: the command line, and nothing that requests reach, may delete a hotel's row after everything of it.
GRANT DELETE ON hotels TO latchkey_worker;
