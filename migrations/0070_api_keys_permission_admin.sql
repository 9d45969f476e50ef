-- A hotel's administrator manages keys and integrations with a key of its own permission, above the front desk's.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_permission_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_permission_check
    CHECK (permission IN ('READ_ONLY', 'WRITE', 'FRONT_DESK', 'ADMIN'));
