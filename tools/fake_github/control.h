/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - the two routes that GitHub does not have: /_ledger tells tests what happened,
 * /_control changes the server while it runs. Neither needs a User-Agent, touches a budget or is in
 * the ledger. */
#ifndef FAKE_GITHUB_CONTROL_H
#define FAKE_GITHUB_CONTROL_H

#include "fake_github/github.h"

bool control_is_for(const struct http_request *request);

/* GET /_ledger[?keys=1][&generated=1], POST /_control?scenario=NAME|rate=N|poll-interval=SECONDS.
 */
void control_answer(struct github *github, const struct http_request *request,
		    struct http_response *response);

#endif
