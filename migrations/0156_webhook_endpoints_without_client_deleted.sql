-- Nothing makes an event of the type client.deleted, so nobody is subscribed to it. An endpoint that asked for nothing else keeps it:
-- it has to be subscribed to something.
UPDATE webhook_endpoints SET events = array_remove(events, 'client.deleted')
WHERE 'client.deleted' = ANY (events) AND cardinality(array_remove(events, 'client.deleted')) > 0;
