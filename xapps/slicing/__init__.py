"""The slicing xApp: it reads KPM, decides RRM policy ratios and sends them by E2 control, behind a guard."""
