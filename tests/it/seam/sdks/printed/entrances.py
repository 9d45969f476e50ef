entrances = seam.acs.entrances.list(space_id="room-101")
entrances_that_support_reservations = [e for e in entrances if e.can_belong_to_reservation]
