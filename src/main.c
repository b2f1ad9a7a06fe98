/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

int main(int argument_count, char **arguments)
{
	return app_main(argument_count, arguments);
}
