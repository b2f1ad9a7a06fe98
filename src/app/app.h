/* SPDX-License-Identifier: Apache-2.0 */
/* app.h - the program: one option table (config.h), one command table (commands.c), the daemon that
 * decides what runs when. */
#ifndef APP_APP_H
#define APP_APP_H

/* Runs the command that argv asks for and returns the exit code: 0 ok; 1 failure; 2 usage or
 * configuration; 3 partial; 4 data corrupt or of a newer format; 5 network, quota or token; 6 port
 * or data folder in use; 130 interrupted. */
int app_main(int argument_count, char **arguments);

#endif
