-- A webhook goes on in the trace of the request that caused it: the event keeps where that stood, as W3C's traceparent.
ALTER TABLE events ADD COLUMN traceparent text;
