/*
 * A check command that never ends by itself. A script of the shell costs as
 * much CPU to start as hundreds of checks, and so fills a small machine.
 */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
