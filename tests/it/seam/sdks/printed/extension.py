# extend the reservation window
seam.access_grants.update(
    access_grant_id="ag_123",
    ends_at="2025-05-16T11:00:00Z",
)

# fetch current status and next steps
grant = seam.access_grants.get(access_grant_id="ag_123")

"""
grant.warnings might include:
- "encoding_required": re-encode a plastic card for the new dates
"""
