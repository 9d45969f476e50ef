-- Tells the pairs of one integration apart. The default is for pairs that were made before they had names.
ALTER TABLE api_keys ADD COLUMN name text NOT NULL DEFAULT 'API key';
ALTER TABLE api_keys ADD CONSTRAINT api_keys_name_check CHECK (char_length(name) BETWEEN 1 AND 200);
