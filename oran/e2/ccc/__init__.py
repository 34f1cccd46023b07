"""E2SM-CCC, the cell configuration and control service model: JSON inside E2AP, here O-RRMPolicyRatio."""
