"""What the value of one data object says, in words: from bits, codes, dates, amounts and the like.

`words` gives lines for people. It raises `DecodeError` for a value that does not follow its format, and gives
nothing where there is nothing to say. Codes that nobody has written down are shown as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from emv import aid, bit_words, code_words, issuer_answer
from emv.cvm import CvmList
from emv.errors import DecodeError
from emv.fields import Afl
from emv.formats import Format, decode_an, decode_date, decode_n, decode_time
from emv.issuer_data import IadFormat, IssuerData
from emv.names import NO_NAMES, Names
from emv.sensitive import Pan, Track2
from emv.service_code import ServiceCode
from emv.tags import TagInfo, describe
from emv.third_party_data import ThirdPartyData

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What else is known where a value is found.

    Args:
        names: How codes get names.
        objects: The other data objects, by tag, the first of each.
        code_table: The issuer code table (9F11) that holds for text here, or empty.
        rid: The provider of the application, five bytes, or empty.
    """

    names: Names = NO_NAMES
    objects: Mapping[int, bytes] = field(default_factory=dict)
    code_table: bytes = b""
    rid: bytes = b""


def words(tag: int, value: bytes, info: TagInfo | None, context: Context) -> Lines:
    """Return what a value says, in lines.

    Raises:
        DecodeError: the value is shorter or longer than its definition, or does not follow its format.
    """
    if info is None:
        return ()
    check_length(tag, value, info)
    # Some tags have other meanings to other kernels: only the common one is read by its tag.
    common = tag if info is describe(tag) else None
    if table := bit_words.BY_NAME.get(info.name) or bit_words.BY_TAG.get(common):
        return table.words(value) or ("no bit is set",)
    if found := _BY_NAME.get(info.name) or _BY_TAG.get(common):
        return found(value, context)
    if info.format in (Format.AN, Format.ANS, Format.A):
        return (_quoted(value, "latin-1"),) if value else ()
    return ()


def check_length(tag: int, value: bytes, info: TagInfo) -> None:
    """Refuse a value that is shorter or longer than its definition."""
    if info.shortest <= len(value) <= info.longest:
        return
    few = f"{info.shortest}" if info.shortest == info.longest else f"{info.shortest} to {info.longest}"
    offset = min(len(value), info.longest)
    raise DecodeError(f"a length of {len(value)} where {few} is defined", tag=tag, offset=offset)


def _quoted(value: bytes, code: str) -> str:
    try:
        text = value.decode(code).rstrip(" \0")
    except UnicodeDecodeError as error:
        raise DecodeError("a character that its code table does not have", offset=error.start) from None
    if not text.isprintable():
        raise DecodeError("a text value holds a control character")
    return f'"{text}"'


# Numbers, amounts, dates


def _minor(minor: int, currency_tag: int, exponent_tag: int, context: Context) -> str:
    """Return an amount with the currency that the same data names, or in minor units."""
    digits = context.objects.get(currency_tag, b"").hex()
    currency = context.names.currency(digits[-3:]) if len(digits) == 4 and digits.isdecimal() else None
    if currency is None:
        return f"{minor} in minor units" if minor else "0"
    told = context.objects.get(exponent_tag, b"").hex()
    exponent = int(told) if len(told) == 2 and told.isdecimal() and int(told) < 10 else currency.exponent
    return f"{Decimal(minor).scaleb(-exponent):.{exponent}f} {currency.code}"


def _amount(currency_tag: int = 0x5F2A, exponent_tag: int = 0x5F36) -> Callable[[bytes, Context], Lines]:
    return lambda value, context: (_minor(decode_n(value), currency_tag, exponent_tag, context),)


def _binary_amount(
    currency_tag: int = 0x5F2A, exponent_tag: int = 0x5F36
) -> Callable[[bytes, Context], Lines]:
    return lambda value, context: (_minor(int.from_bytes(value, "big"), currency_tag, exponent_tag, context),)


def _number(value: bytes, context: Context) -> Lines:
    return (str(int.from_bytes(value, "big")),)


def _digits(value: bytes, context: Context) -> Lines:
    return (str(decode_n(value)),)


def _exponent(value: bytes, context: Context) -> Lines:
    return tuple(f"{decode_n(value[at : at + 1])} decimals" for at in range(len(value)))


def _date(value: bytes, context: Context) -> Lines:
    return (decode_date(value).isoformat(),)


def _time(value: bytes, context: Context) -> Lines:
    return (decode_time(value).isoformat(),)


def _hundred_us(value: bytes, context: Context) -> Lines:
    return (f"{int.from_bytes(value, 'big') / 10:g} ms",)


# Codes with names


def _country(value: bytes, context: Context) -> Lines:
    return (context.names.country(f"{decode_n(value):03d}") or "unknown country",)


def _country_letters(value: bytes, context: Context) -> Lines:
    code = decode_an(value)
    return (f'{context.names.country(code.upper()) or "unknown country"} ("{code}")',)


def _currency(value: bytes, context: Context) -> Lines:
    lines = []
    for at in range(0, len(value), 2):
        found = context.names.currency(f"{decode_n(value[at : at + 2]):03d}")
        lines.append(f"{found.name} ({found.code})" if found else "unknown currency")
    return tuple(lines)


def _languages(value: bytes, context: Context) -> Lines:
    if len(value) % 2:
        raise DecodeError("languages have two letters each", offset=len(value))
    codes = [value[at : at + 2].decode("latin-1") for at in range(0, len(value), 2)]
    return tuple(context.names.language(code.lower()) or "unknown language" for code in codes)


def _merchant_category(value: bytes, context: Context) -> Lines:
    return (context.names.merchant_category(f"{decode_n(value):04d}") or "unknown category",)


def _code(table: Mapping[int, str]) -> Callable[[bytes, Context], Lines]:
    def look_up(value: bytes, context: Context) -> Lines:
        text = table.get(value[0]) if len(value) == 1 else None
        return (text or "unknown code",)

    return look_up


def _response_code(value: bytes, context: Context) -> Lines:
    code = decode_an(value)
    text = code_words.RESPONSE.get(code)
    return (f"{code} - {text}" if text else code,)


def _terminal_type(value: bytes, context: Context) -> Lines:
    operator = code_words.TERMINAL_OPERATOR.get(value[0] >> 4)
    environment = code_words.TERMINAL_ENVIRONMENT.get(value[0] & 0x0F)
    if not operator or not environment:
        return ("unknown code",)
    return (f"{environment.capitalize()}", f"Operated by {operator}")


def _application(value: bytes, context: Context) -> Lines:
    if value.endswith(b".SYS.DDF01") and value[:4] in (b"1PAY", b"2PAY"):
        which = (
            "Proximity Payment System Environment (PPSE)"
            if value[:1] == b"2"
            else "Payment System Environment"
        )
        return (f'"{value.decode("ascii")}", {which}',)
    found = aid.look_up(value)
    return (str(found),) if found else ("unknown application",)


def _kernel(value: bytes, context: Context) -> Lines:
    if not value or value[0] & 0xC0 in (0x80, 0xC0):
        return ()
    return (f"Kernel {code_words.KERNEL.get(value[0] & 0x3F, value[0] & 0x3F)}",)


def _key_index(value: bytes, context: Context) -> Lines:
    return (f"Key {value.hex().upper()}",)


def _code_table(value: bytes, context: Context) -> Lines:
    return (f"ISO 8859-{code_table_number(value)}",)


def code_table_number(value: bytes) -> int:
    """Return the part of ISO 8859 that an issuer code table index (9F11) names.

    The format is numeric, so that part 11 is 11; cards that write 0B are understood, too.
    """
    number = value[0] if len(value) == 1 else 0
    if number >= 0x10:
        number = decode_n(value)
    if not 1 <= number <= 16 or number == 12:
        raise DecodeError("there is no such code table", tag=0x9F11)
    return number


def _preferred_name(value: bytes, context: Context) -> Lines:
    code = f"iso8859-{code_table_number(context.code_table)}" if context.code_table else "latin-1"
    return (_quoted(value, code),)


def _selection_data(value: bytes, context: Context) -> Lines:
    lines, position = [], 0
    while position < len(value):
        start = position + 3
        end = start + value[start - 1] if start <= len(value) else start
        if end > len(value):
            raise DecodeError("the registered data is cut off", tag=0x9F0A, offset=len(value))
        owner = int.from_bytes(value[position : position + 2], "big")
        lines.append(code_words.SELECTION_DATA_OWNER.get(owner, f"Identifier {owner:04X}"))
        data = value[start:end]
        product = (
            code_words.PRODUCT_TYPE.get(data[0])
            if owner in code_words.SELECTION_DATA_OWNER and data
            else None
        )
        lines.append(product or data.hex().upper())
        position = end
    return tuple(lines)


# Fields with parts


def _pan(value: bytes, context: Context) -> Lines:
    Pan.decode(value)
    return ()


def _track_2(value: bytes, context: Context) -> Lines:
    track = Track2(value)
    year, month = int(track.expiry[:2]), track.expiry[2:]
    service = ServiceCode(track.service_code)
    return (
        f"Expires 20{year:02d}-{month}",
        f"Service code {service.digits}: {'; '.join(service.words())}",
    )


def _service_code(value: bytes, context: Context) -> Lines:
    code = ServiceCode.decode(value)
    return tuple(f"{digit}: {text}" for digit, text in zip(code.digits, code.words(), strict=True))


def _sfi(value: bytes, context: Context) -> Lines:
    return (f"SFI {value[0]}",) if value else ()


def _afl(value: bytes, context: Context) -> Lines:
    lines = []
    for entry in Afl.decode(value).entries:
        some = (
            f"record {entry.first}" if entry.first == entry.last else f"records {entry.first} to {entry.last}"
        )
        signed = f"{entry.signed} signed" if entry.signed else "none signed"
        lines.append(f"SFI {entry.sfi}: {some}, {signed}")
    return tuple(lines)


def _log_entry(value: bytes, context: Context) -> Lines:
    return (f"SFI {value[0]}, {value[1]} records at most",)


def _cvm_list(value: bytes, context: Context) -> Lines:
    found = CvmList.decode(value)
    x, y = (_minor(amount, 0x9F42, 0x9F44, context) for amount in (found.x_minor, found.y_minor))
    lines = [f"X = {x}, Y = {y}"]
    for at in range(8, len(value), 2):
        method, condition = value[at], value[at + 1]
        then = "next rule" if method & 0x40 else "fail"
        lines.append(f"{method:02X}{condition:02X}: {_cvm(method)}, {_condition(condition)}, else {then}")
    return tuple(lines)


def _cvm(method: int) -> str:
    return code_words.CVM.get(method & 0x3F, f"CVM {method & 0x3F:02X}")


def _condition(condition: int) -> str:
    return code_words.CVM_CONDITION.get(condition, f"condition {condition:02X}")


def _cvm_results(value: bytes, context: Context) -> Lines:
    method, condition, result = value
    if method & 0x3F == code_words.CVM_NOT_PERFORMED:
        performed = "CVM not performed"
    else:
        performed = _cvm(method)
    return (
        performed,
        f"Condition: {_condition(condition)}",
        f"Result: {code_words.CVM_RESULT.get(result, f'{result:02X}')}",
    )


def _cid(value: bytes, context: Context) -> Lines:
    kinds = {
        0x00: "Application Authentication Cryptogram (AAC): declined",
        0x40: "Transaction Certificate (TC): approved",
        0x80: "Authorisation Request Cryptogram (ARQC): online authorisation",
    }
    octet = value[0]
    lines = [kinds.get(octet & 0xC0, "reserved cryptogram type")]
    if octet & 0x30:
        lines.append(f"Payment system-specific cryptogram: {octet & 0x30:02X}")
    reason = code_words.ADVICE_REASON.get(octet & 0x07, f"reason {octet & 0x07}")
    if octet & 0x0F:
        lines.append("Advice required" if octet & 0x08 else "No advice required")
    if reason:
        lines.append(f"Reason: {reason}")
    return tuple(lines)


_CVR = {
    IadFormat.CCD: bit_words.CVR_CCD,
    IadFormat.MCHIP_4: bit_words.CVR_MCHIP,
    IadFormat.MCHIP_ADVANCE: bit_words.CVR_MCHIP,
    IadFormat.VISA_2: bit_words.CVR_VISA_LONG,
    IadFormat.VISA_4: bit_words.CVR_VISA_LONG,
}


_VISA = bytes.fromhex("A000000003")
_VISA_FORMS = (IadFormat.VISA_0, IadFormat.VISA_1, IadFormat.VISA_2, IadFormat.VISA_3, IadFormat.VISA_4)


def _issuer_data(value: bytes, context: Context) -> Lines:
    data = IssuerData.decode(value, context.rid)
    if data.format is IadFormat.UNKNOWN:
        return (data.format.value.capitalize(),) if value else ()
    table = _CVR.get(data.format, bit_words.CVR_SHORT)
    return (
        _issuer_form(data.format, context.rid),
        f"Derivation Key Index (DKI): {data.dki:02X}",
        *_cryptogram_version(data),
        *(f"CVR: {line}" for line in table.words(data.cvr)),
    )


def _issuer_form(form: IadFormat, rid: bytes) -> str:
    """Return what a form is called. Visa's does not tell whose the card is: other schemes have it, too."""
    if form not in _VISA_FORMS or rid == _VISA:
        return form.value
    return f"Visa form, as of {form.value}"


def _cryptogram_version(data: IssuerData) -> Lines:
    if data.format is IadFormat.CCD:
        return (f"Cryptogram version: {'TDES' if data.cvn & 0x0F == 5 else 'AES'}",)
    line = f"Cryptogram Version Number (CVN): {data.cvn:02X}"
    if data.format in (IadFormat.MCHIP_4, IadFormat.MCHIP_ADVANCE):
        key = {0x00: "Mastercard proprietary SKD", 0x04: "EMV CSK"}[data.cvn & 0x06]
        counters = "included" if data.cvn & 0x01 else "not included"
        return (line, f"Cryptogram: {key} session key", f"Cryptogram: counters {counters} in AC data")
    if data.format in (IadFormat.VISA_2, IadFormat.VISA_4):
        return (f"{line} (CVN'{data.cvn:02X}')",)
    return (f"{line} (CVN{data.cvn})",)


def _card_authentication(value: bytes, context: Context) -> Lines:
    if value[0] > 1:
        return (f"fDDA version {value[0]}",)
    lines = [f"fDDA version {value[0]}", f"Card Unpredictable Number: {value[1:5].hex().upper()}"]
    if len(value) >= 7:
        lines.extend(f"CTQ: {line}" for line in bit_words.CTQ.words(value[5:7]))
    return tuple(lines)


def _third_party(value: bytes, context: Context) -> Lines:
    data = ThirdPartyData.decode(value)
    known = context.names.country(data.country[-3:]) if data.country.isdecimal() else None
    return data.words(known)


_BY_TAG: dict[int | None, Callable[[bytes, Context], Lines]] = {
    0x4F: _application,
    0x57: _track_2,
    0x5A: _pan,
    0x81: _binary_amount(),
    0x84: _application,
    0x86: lambda value, context: issuer_answer.command_words(value),
    0x88: _sfi,
    0x8A: _response_code,
    0x8E: _cvm_list,
    0x8F: _key_index,
    0x91: lambda value, context: issuer_answer.authentication_words(value),
    0x94: _afl,
    0x9A: _date,
    0x9C: _code(code_words.TRANSACTION_TYPE),
    0x9D: _application,
    0x5F24: _date,
    0x5F25: _date,
    0x5F28: _country,
    0x5F2A: _currency,
    0x5F2D: _languages,
    0x5F30: _service_code,
    0x5F34: _digits,
    0x5F36: _exponent,
    0x5F55: _country_letters,
    0x5F56: _country_letters,
    0x5F57: _code(code_words.ACCOUNT_TYPE),
    0x9F02: _amount(),
    0x9F03: _amount(),
    0x9F04: _binary_amount(),
    0x9F06: _application,
    0x9F08: _number,
    0x9F09: _number,
    0x9F0A: _selection_data,
    0x9F10: _issuer_data,
    0x9F11: _code_table,
    0x9F12: _preferred_name,
    0x9F13: _number,
    0x9F14: _number,
    0x9F15: _merchant_category,
    0x9F17: _number,
    0x9F1A: _country,
    0x9F1B: _binary_amount(),
    0x9F21: _time,
    0x9F22: _key_index,
    0x9F23: _number,
    0x9F27: _cid,
    0x9F2A: _kernel,
    0x9F34: _cvm_results,
    0x9F35: _terminal_type,
    0x9F36: _number,
    0x9F39: _code(code_words.POS_ENTRY_MODE),
    0x9F3A: _binary_amount(0x9F3C, 0x9F3D),
    0x9F3B: _currency,
    0x9F3C: _currency,
    0x9F3D: _exponent,
    0x9F41: _digits,
    0x9F42: _currency,
    0x9F43: _exponent,
    0x9F44: _exponent,
    0x9F4D: _log_entry,
    0x9F57: _country,
    0xDF8104: _amount(0x9F42, 0x9F44),
    0xDF8105: _amount(0x9F42, 0x9F44),
    0xDF8123: _amount(),
    0xDF8124: _amount(),
    0xDF8125: _amount(),
    0xDF8126: _amount(),
    0xDF8303: _hundred_us,
    0xDF8304: _hundred_us,
    0xDF8305: _hundred_us,
    0xDF8306: _hundred_us,
    0xDF8132: _hundred_us,
    0xDF8133: _hundred_us,
    0xDF8134: _hundred_us,
    0xDF8135: _hundred_us,
    0xDF8136: _hundred_us,
}

_CARD_AMOUNT = _amount(0x9F51, 0x9F44)
_BY_NAME: dict[str, Callable[[bytes, Context], Lines]] = {
    "Application Currency Code": _currency,
    "Secondary Application Currency Code": _currency,
    "Available Offline Spending Amount (AOSA)": _CARD_AMOUNT,
    "Offline Accumulator Balance": _amount(0x9F42, 0x9F44),
    "Card CVM Limit": _CARD_AMOUNT,
    "Cumulative Total Transaction Amount": _CARD_AMOUNT,
    "Cumulative Total Transaction Amount Limit": _CARD_AMOUNT,
    "Cumulative Total Transaction Amount Upper Limit": _CARD_AMOUNT,
    "EC Balance": _CARD_AMOUNT,
    "EC Balance Limit": _CARD_AMOUNT,
    "EC Reset Threshold": _CARD_AMOUNT,
    "EC Single Transaction Limit": _CARD_AMOUNT,
    "Card Authentication Related Data": _card_authentication,
    "Third Party Data": _third_party,
    "Track 2 Data": _track_2,
}
