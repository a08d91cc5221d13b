"""Mail: a real SMTP server takes the letters, and their links work."""

import json
import re
import socket
import threading
import time
from email import message_from_bytes, policy

import requests
from aiosmtpd.controller import Controller
from harness import Story, free_port

SENDER = "SynapTask <tasks@example.com>"
SOON_SECONDS_MAX = 2
MAIL_SECONDS_MAX = 20


class Inbox:
    """Keeps the letters that it is handed. `refusals` are answers that it gives first."""

    def __init__(self):
        self.letters = []
        self.refusals = []
        self.news = threading.Condition()

    async def handle_DATA(self, _server, _session, envelope):
        with self.news:
            if self.refusals:
                return self.refusals.pop(0)
            letter = message_from_bytes(envelope.content, policy=policy.default)
            self.letters.append((envelope.rcpt_tos, letter, envelope.content))
            self.news.notify_all()
        return "250 OK"

    def next(self, to, seconds=MAIL_SECONDS_MAX):
        def find():
            return next((letter for letter in self.letters if letter[0] == [to]), None)

        with self.news:
            if not self.news.wait_for(find, seconds):
                raise AssertionError(f"no mail for {to} in {seconds} s; there is mail for {[to for to, *_ in self.letters]}")
            letter = find()
            self.letters.remove(letter)
            return letter


class MailStory(Story):
    @classmethod
    def setUpClass(cls):
        cls.inbox = Inbox()
        cls.smtp = Controller(cls.inbox, hostname="127.0.0.1", port=free_port(), ident="a sink")
        cls.smtp.start()
        cls.addClassCleanup(cls.smtp.stop)
        super().setUpClass()

    @classmethod
    def settings(cls, url):
        return {
            "SYNAPTASK_PUBLIC_URL": url,
            "SYNAPTASK_MAIL_FROM": SENDER,
            "SYNAPTASK_MAIL_SMTP": f"smtp://127.0.0.1:{cls.smtp.port}",
            "SYNAPTASK_INVITE_BY": "all",
        }

    def known_user(self, name):
        """A user whom the server knows: it was told by another process a moment ago."""
        user = self.server.add_user(name)
        self.assertEqual(self.server.rest(user, "GET", "/api/account").status_code, 200)
        return user

    def forgets(self, email, **headers):
        """Asks for a link to choose a new password."""
        return requests.post(f"{self.server.url}/api/password/forgot", json={"email": email}, headers=headers, timeout=10)

    def resets(self, link, password):
        key = link.split("?key=")[1]
        self.server.tokens.append(key)
        return requests.post(f"{self.server.url}/api/password/reset", json={"key": key, "password": password}, timeout=10)

    # Rules: I1, I3, K17.
    def test_she_forgot_her_password_and_a_link_in_a_mail_gives_her_another(self):
        ada = self.known_user("ada")
        answer = self.forgets(ada["email"])
        self.assertEqual(answer.status_code, 200)
        to, letter, raw = self.inbox.next(ada["email"])
        self.assertEqual(to, [ada["email"]])
        self.assertEqual(letter["From"], SENDER)
        self.assertEqual(letter["Subject"], "Set a new password")
        self.assertEqual(letter["Auto-Submitted"], "auto-generated")
        self.assertEqual(letter.get_content_type(), "text/plain")
        self.assertTrue(raw.isascii())
        text = letter.get_content()
        self.assertIn(f"Hello {ada['username']},", text)
        [link] = re.findall(r"https?://\S+\?key=\S+", text)
        self.assertRegex(link, rf"^{self.server.url}/reset\?key=\w{{43}}$")
        self.assertEqual(requests.get(link, timeout=10).status_code, 200)
        self.assertEqual(self.resets(link, "nine quiet otters swim").status_code, 200)
        login = {"email": ada["email"], "password": "nine quiet otters swim"}
        self.assertEqual(requests.post(f"{self.server.url}/api/login", json=login, timeout=10).status_code, 200)
        self.assert_refusal(self.resets(link, "ten quiet otters swim").json(), "forbidden.invalid_key")

    # Rules: I1.
    def test_no_header_of_the_request_changes_the_link(self):
        ada = self.known_user("ada")
        lures = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=https", "Origin": self.server.url}
        self.assertEqual(self.forgets(ada["email"], **lures).status_code, 200)
        _, letter, raw = self.inbox.next(ada["email"])
        self.assertIn(f"\n{self.server.url}/reset?key=", letter.get_content())
        self.assertNotIn(b"evil", raw)

    # Rules: I3, I4, K17.
    def test_nobody_learns_from_the_answer_whether_there_is_an_account(self):
        ada = self.known_user("ada")
        known, unknown = self.forgets(ada["email"]), self.forgets("nobody@example.com")
        of = [(answer.status_code, {**answer.json(), "trace_id": None}) for answer in (known, unknown)]
        self.assertEqual(of[0], of[1])
        self.inbox.next(ada["email"])
        self.assertEqual([to for to, *_ in self.inbox.letters if to == ["nobody@example.com"]], [])

    # Rules: I3, K15.
    def test_an_invitation_for_an_email_is_sent_there(self):
        admin = requests.Session()
        admin.headers["Origin"] = self.server.url
        invited = self.server.cli("invite", "--json")
        key = invited["url"].split("?key=")[1]
        account = {"email": "boss@example.com", "username": "boss", "password": "nine quiet otters swim", "invite": key}
        self.assertTrue(admin.post(f"{self.server.url}/api/register", json=account, timeout=10).json()["ok"])
        answer = admin.post(f"{self.server.url}/api/invite", json={"email": "ben@example.com"}, timeout=10).json()
        self.assertTrue(answer["ok"], answer)
        _, letter, _ = self.inbox.next("ben@example.com")
        self.assertEqual(letter["Subject"], "boss invites you to SynapTask")
        self.assertIn(answer["invite"]["url"], letter.get_content())
        self.server.tokens.append(answer["invite"]["url"].split("?key=")[1])

    # Rules: I4.
    def test_a_mail_that_the_server_does_not_take_at_first_is_sent_again(self):
        ada = self.known_user("ada")
        self.inbox.refusals.append("451 4.3.0 come again")
        self.forgets(ada["email"])
        self.inbox.next(ada["email"])
        log = self.server.log(self.log_start)
        self.assertIn("mail not sent yet", log)
        self.assertIn("answered 451", log)
        self.assertNotIn(ada["email"], log)
        self.assertIn("a…@example.com", log)

    # Rules: I4.
    def test_a_mail_that_is_refused_for_good_is_not_sent_again(self):
        ada = self.known_user("ada")
        self.inbox.refusals.append(f"550 5.1.1 no {ada['email']} here")
        self.forgets(ada["email"])
        deadline = time.monotonic() + MAIL_SECONDS_MAX
        while "answered 550" not in self.server.log(self.log_start) and time.monotonic() < deadline:
            time.sleep(0.05)
        log = self.server.log(self.log_start)
        self.assertIn("mail not sent mail=", re.sub(r"\x1b\[\d+m", "", log))
        self.assertNotIn("not sent yet", log)
        self.assertNotIn(ada["email"], log)


class DeadMailStory(Story):
    """A mail server that accepts connections and says nothing."""

    @classmethod
    def setUpClass(cls):
        cls.silent = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.silent.close)
        super().setUpClass()

    @classmethod
    def settings(cls, url):
        return {
            "SYNAPTASK_PUBLIC_URL": url,
            "SYNAPTASK_MAIL_FROM": SENDER,
            "SYNAPTASK_MAIL_SMTP": f"smtp://tasks:hunter2@127.0.0.1:{cls.silent.getsockname()[1]}",
        }

    # Rules: I2, I4.
    def test_a_dead_mail_server_neither_delays_nor_changes_an_answer(self):
        ada = self.server.add_user("ada")
        self.assertEqual(self.server.rest(ada, "GET", "/api/account").status_code, 200)
        for email in [ada["email"]] * 3 + ["nobody@example.com"] * 3:
            begun = time.monotonic()
            answer = requests.post(f"{self.server.url}/api/password/forgot", json={"email": email}, timeout=10)
            self.assertLess(time.monotonic() - begun, SOON_SECONDS_MAX)
            self.assertEqual({**answer.json(), "trace_id": None}, {"ok": True, "trace_id": None})
        health = requests.get(f"{self.server.url}/api/health", timeout=10)
        self.assertEqual(json.loads(health.text)["status"], "up")
        self.assertNotIn("hunter2", self.server.log())
