"""What people saved: projects, accounts, dashboards, insights, cohorts."""
