// What runs in the browser. Pages work without it, as plain forms and links; this adds speed.
import "htmx.org";
import "./csrf.js";
import "./toasts.js";
import "./theme.js";
import "./clock.js";
import "./tabs.js";
import "./picker.js";
import "./suggest.js";
import "./forms.js";
import "./dialogs.js";
import "./copy.js";
import "./idle.js";
import "./entries.js";
import "./day.js";
import "./week.js";
import "./keys.js";
import "./palette.js";
