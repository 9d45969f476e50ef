cards = seam.access_methods.list(access_grant_id=access_grant_id)

# (example) re-encode the plastic card for the new reservation window
seam.acs.encoders.encode_card(
    cards[0].access_method_id,
    acs_encoder_id="encoder-1",
)
