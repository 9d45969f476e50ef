// extend the reservation window
await seam.accessGrants.update({
  access_grant_id: "ag_123",
  ends_at: "2025-05-16T11:00:00Z",
})

// fetch current status and next steps
const grant = await seam.accessGrants.get({ access_grant_id: "ag_123" })

/*
grant.warnings might include:
- "encoding_required": re-encode a plastic card for the new dates
*/
