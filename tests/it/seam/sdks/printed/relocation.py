# original room
old_grant = seam.access_grants.create(
    user_identity_id="guest-1",
    space_ids=["room-101"],
    starts_at="2025-05-10T15:00:00Z",
    ends_at="2025-05-14T11:00:00Z",
    requested_access_methods=[{"mode": "card"}],
    reservation_key="stay-1",
)

# move to new room with same reservation identity
seam.access_grants.delete(access_grant_id=old_grant.access_grant_id)
# seam may surface warnings if physical cards still exist (collect/cancel)

seam.access_grants.create(
    user_identity_id="guest-1",
    space_ids=["room-203"],
    starts_at="2025-05-10T15:30:00Z",
    ends_at="2025-05-14T11:00:00Z",
    requested_access_methods=[{"mode": "card"}],
    reservation_key="stay-1",
)
