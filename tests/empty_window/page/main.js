// Puts the one field there, and says when: this page is done too soon to be watched from outside.

const field = document.createElement("input");
field.type = "email";
document.body.append(field);
field.focus();
performance.mark("interactive");
