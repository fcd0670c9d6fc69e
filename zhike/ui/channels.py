"""Channels as they are drawn: icon and name. Keys are those of interactions and contacts."""

from django.utils.translation import gettext_lazy as _

CHANNELS = {
    "phone": ("phone", _("Phone")),
    "wecom": ("wecom", _("WeCom")),
    "wechat": ("wecom", _("WeChat")),
    "dingtalk": ("wecom", _("DingTalk")),
    "feishu": ("wecom", _("Feishu")),
    "chat": ("log", _("Chat")),
    "email": ("mail", _("E-mail")),
    "mail": ("mail", _("E-mail")),
    "sms": ("sms", _("Text message")),
    "meeting": ("meeting", _("Meeting")),
    "video": ("meeting", _("Video call")),
    "visit": ("visit", _("Visit")),
    "ticket": ("ticket", _("Ticket")),
    "product": ("bell", _("In the product")),
    "app": ("bell", _("In the product")),
    "portal": ("home", _("Portal")),
    "survey": ("survey", _("Survey")),
    "web": ("globe", _("Website")),
    "note": ("edit", _("Note")),
}
OTHER = ("log", _("Other"))
