# guest 1 (sat → wed)
seam.access_grants.create(
    user_identity_id="guest-1",
    space_ids=["room-101"],
    starts_at="2025-05-10T15:00:00Z",
    ends_at="2025-05-14T11:00:00Z",
    requested_access_methods=[{"mode": "card"}],
    reservation_key="stay-1",
)

# guest 2 (wed → fri) — different key → overrides guest 1 on first use
seam.access_grants.create(
    user_identity_id="guest-2",
    space_ids=["room-101"],
    starts_at="2025-05-14T15:00:00Z",
    ends_at="2025-05-16T11:00:00Z",
    requested_access_methods=[{"mode": "card"}],
    reservation_key="stay-2",
)
