"""`zhike init`: prepare the data folder; or give somebody a new password."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from zhike.kit.money import check_currency
from zhike.org import operations
from zhike.org.models import Staff
from zhike.web import setting_up


class Command(BaseCommand):
    help = "Prepare the data folder: database, roles, plan, first administrator. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", default="", help="name of the company")
        parser.add_argument("--email", default="", help="e-mail of the first administrator (admin@zhike.example)")
        parser.add_argument(
            "--currency", default="", help="reporting currency, such as CNY; default: of the first import"
        )
        parser.add_argument("--plan", default="saas", choices=["saas", "retail"], help="the ready plan to start with")
        parser.add_argument("--new-password", metavar="E-MAIL", default="", help="give a colleague a new password")

    def handle(self, *_args: Any, **options: Any) -> None:
        ready = setting_up.prepare(
            now=now(),
            name=options["company"],
            email=options["email"],
            currency=check_currency(options["currency"]) if options["currency"] else "",
            plan=options["plan"],
        )
        if options["new_password"]:
            staff = Staff.objects.filter(email__iexact=options["new_password"]).first()
            if staff is None:
                raise CommandError(f"Nobody signs in with {options['new_password']}.")
            password = operations.give_new_password(staff, by=None, now=now())
            self.stdout.write(f"{staff.email}  password: {password}")
        elif ready.first_password:
            self.stdout.write(f"Ready. First sign-in: {ready.first_email}  password: {ready.first_password}")
        else:
            self.stdout.write("Ready; it was set up before and nothing changed.")
