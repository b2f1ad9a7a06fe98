/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - responses in GitHub's shape: JSON errors and the headers that every answer carries. */
#ifndef FAKE_GITHUB_REPLY_H
#define FAKE_GITHUB_REPLY_H

#include "fake_github/http.h"

/* Date, Server, request id and the other headers that do not depend on the answer. */
void reply_common_headers(struct http_response *response, uint64_t seq, int64_t now_us);

/* {"message", "documentation_url", "status"}; `documentation` NULL gives the general page. Replaces
 * a body that is already there. */
void reply_error(struct http_response *response, int status, const char *message,
		 const char *documentation);

/* A body with its Content-Type. */
void reply_body(struct http_response *response, int status, const char *content_type,
		struct span body);

#endif
