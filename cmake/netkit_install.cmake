# What an installation holds, beside the targets that install themselves.
