"""The data objects of EMV: one table, which is also the `Tag` enum.

Each row: name, format, shortest and longest value in bytes, who supplies it, the templates it is found
in, and whether it is or may hold cardholder data, which is never shown in clear.

Some tags mean different things to different kernels. The table has the meaning of EMV itself or, where
there is none, the most common one; `MEANINGS` has the others. `describe` looks in both.

Spec: EMV 4.4 Book 1, Annex B, and Book 3, Annex A; EMV Contactless Book A, Annex A; Books C-2 to C-7,
Annex A; ISO/IEC 7816-6. Books C-5 and C-6 are known from public terminals only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from emv.formats import Format


class Source(Enum):
    """Who supplies a data object."""

    CARD = "card"
    TERMINAL = "terminal"
    ISSUER = "issuer"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class TagInfo:
    """What is known of a data object. Lengths are in bytes of its value."""

    name: str
    format: Format
    shortest: int
    longest: int
    source: Source
    templates: tuple[int, ...]
    sensitive: bool


A, AN, ANS, B, CN, N, VAR = (Format[name] for name in ("A", "AN", "ANS", "B", "CN", "N", "VAR"))
C, T, I, ANY = Source.CARD, Source.TERMINAL, Source.ISSUER, Source.ANY  # noqa: E741
FCI, APP, REC, GPO, ODA = (0xA5,), (0xBF0C, 0x61), (0x70, 0x77), (0x77, 0x80), (0x70, 0x77)
NO: tuple[int, ...] = ()
SECRET = True


class Tag(IntEnum):
    """A data object by its tag."""

    info: TagInfo

    def __new__(
        cls,
        tag: int,
        name: str,
        form: Format,
        shortest: int,
        longest: int,
        source: Source,
        templates: tuple[int, ...] = (),
        sensitive: bool = False,
    ) -> Tag:
        """Make the member from its row."""
        member = int.__new__(cls, tag)
        member._value_ = tag
        member.info = TagInfo(name, form, shortest, longest, source, templates, sensitive)
        return member

    # Application selection
    ISSUER_IDENTIFICATION_NUMBER = 0x42, "Issuer Identification Number", N, 3, 3, C, APP
    ADF_NAME = 0x4F, "Application Dedicated File (ADF) Name", B, 5, 16, C, (0x61,)
    APPLICATION_LABEL = 0x50, "Application Label", ANS, 1, 16, C, (0x61, 0xA5)
    COMMAND_TO_PERFORM = 0x52, "Command to perform", B, 1, 237, C, (0x61,)
    TRACK_1 = 0x56, "Track 1 Data", ANS, 0, 76, C, REC, SECRET
    TRACK_2 = 0x57, "Track 2 Equivalent Data", B, 0, 19, C, REC, SECRET
    PAN = 0x5A, "Application Primary Account Number (PAN)", CN, 0, 10, C, REC, SECRET
    APPLICATION_TEMPLATE = 0x61, "Application Template", VAR, 0, 252, C, (0x70, 0xBF0C)
    FCI_TEMPLATE = 0x6F, "File Control Information (FCI) Template", VAR, 0, 252, C
    RECORD_TEMPLATE = 0x70, "READ RECORD Response Message Template", VAR, 0, 252, C
    ISSUER_SCRIPT_1 = 0x71, "Issuer Script Template 1", B, 0, 255, I
    ISSUER_SCRIPT_2 = 0x72, "Issuer Script Template 2", B, 0, 255, I
    DIRECTORY_DISCRETIONARY = 0x73, "Directory Discretionary Template", VAR, 0, 252, C, (0x61,)
    RESPONSE_FORMAT_2 = 0x77, "Response Message Template Format 2", VAR, 0, 253, C
    RESPONSE_FORMAT_1 = 0x80, "Response Message Template Format 1", VAR, 0, 253, C
    AMOUNT_AUTHORISED_BINARY = 0x81, "Amount, Authorised (Binary)", B, 4, 4, T
    AIP = 0x82, "Application Interchange Profile (AIP)", B, 2, 2, C, GPO
    COMMAND_TEMPLATE = 0x83, "Command Template", B, 0, 255, T
    DF_NAME = 0x84, "Dedicated File (DF) Name", B, 5, 16, C, (0x6F,)
    ISSUER_SCRIPT_COMMAND = 0x86, "Issuer Script Command", B, 0, 261, I, (0x71, 0x72)
    PRIORITY = 0x87, "Application Priority Indicator", B, 1, 1, C, (0x61, 0xA5)
    SFI = 0x88, "Short File Identifier (SFI)", B, 1, 1, C, FCI
    AUTHORISATION_CODE = 0x89, "Authorisation Code", ANS, 6, 6, I
    AUTHORISATION_RESPONSE = 0x8A, "Authorisation Response Code", AN, 2, 2, ANY
    CDOL1 = 0x8C, "Card Risk Management Data Object List 1 (CDOL1)", B, 0, 252, C, REC
    CDOL2 = 0x8D, "Card Risk Management Data Object List 2 (CDOL2)", B, 0, 252, C, REC
    CVM_LIST = 0x8E, "Cardholder Verification Method (CVM) List", B, 10, 252, C, REC
    CA_KEY_INDEX = 0x8F, "Certification Authority Public Key Index (ICC)", B, 1, 1, C, ODA
    ISSUER_CERTIFICATE = 0x90, "Issuer Public Key Certificate", B, 0, 248, C, ODA
    ISSUER_AUTHENTICATION = 0x91, "Issuer Authentication Data", B, 8, 16, I
    ISSUER_KEY_REMAINDER = 0x92, "Issuer Public Key Remainder", B, 0, 248, C, ODA
    SIGNED_STATIC_DATA = 0x93, "Signed Static Application Data", B, 0, 248, C, ODA
    AFL = 0x94, "Application File Locator (AFL)", B, 0, 252, C, GPO
    TVR = 0x95, "Terminal Verification Results (TVR)", B, 5, 5, T
    TDOL = 0x97, "Transaction Certificate Data Object List (TDOL)", B, 0, 252, C, REC
    TC_HASH = 0x98, "Transaction Certificate (TC) Hash Value", B, 20, 20, T
    PIN_DATA = 0x99, "Transaction Personal Identification Number (PIN) Data", B, 0, 8, T, NO, SECRET
    TRANSACTION_DATE = 0x9A, "Transaction Date", N, 3, 3, T
    TSI = 0x9B, "Transaction Status Information (TSI)", B, 2, 2, T
    TRANSACTION_TYPE = 0x9C, "Transaction Type", N, 1, 1, T
    DDF_NAME = 0x9D, "Directory Definition File (DDF) Name", B, 5, 16, C, (0x61,)
    FCI_PROPRIETARY = 0xA5, "File Control Information (FCI) Proprietary Template", VAR, 0, 252, C, (0x6F,)

    APPLICATION_RELATED_DATA = 0x6E, "Application Related Data", VAR, 0, 252, C
    COUNTRY_AND_NATIONAL_DATA = 0x41, "Country Code and National Data", B, 0, 252, C
    CARD_ISSUER_DATA = 0x45, "Card Issuer's Data", B, 0, 252, C
    PRE_ISSUING_DATA = 0x46, "Pre-issuing Data", B, 0, 252, C
    CARD_CAPABILITIES = 0x47, "Card Capabilities", B, 0, 252, C
    STATUS_INFORMATION = 0x48, "Status Information", B, 0, 252, C
    FILE_REFERENCE = 0x51, "File Reference", B, 0, 252, C
    DISCRETIONARY_DATA_ISO = 0x53, "Discretionary Data", B, 0, 252, C, NO, SECRET
    PERSON_NAME = 0x5B, "Name of an Individual", ANS, 0, 252, C, NO, SECRET
    FCP_TEMPLATE = 0x62, "File Control Parameters (FCP) Template", VAR, 0, 252, C
    FMD_TEMPLATE = 0x64, "File Management Data (FMD) Template", VAR, 0, 252, C
    CARDHOLDER_TEMPLATE = 0x65, "Cardholder Related Data", VAR, 0, 252, C
    CARD_DATA_TEMPLATE = 0x66, "Card Data Template", VAR, 0, 252, C
    SECURE_MESSAGING_TEMPLATE = 0x7D, "Secure Messaging Template", VAR, 0, 252, ANY
    BIOMETRIC_INFORMATION = 0x7F60, "Biometric Information Template (BIT)", VAR, 0, 252, C, (0xBF4A, 0xBF4B)
    BIOMETRIC_HEADER = 0xA1, "Biometric Header Template (BHT)", VAR, 0, 252, C, (0x7F60,)

    # Two bytes, 5F
    TRACK_1_ISO = 0x5F21, "Track 1", ANS, 0, 76, C, NO, SECRET
    TRACK_2_ISO = 0x5F22, "Track 2", CN, 0, 20, C, NO, SECRET
    TRACK_3_ISO = 0x5F23, "Track 3", CN, 0, 54, C, NO, SECRET
    DATE_OF_BIRTH = 0x5F2B, "Date of Birth", N, 4, 4, C, NO, SECRET
    NATIONALITY = 0x5F2C, "Cardholder Nationality", N, 2, 2, C, NO, SECRET
    CARDHOLDER_SEX = 0x5F35, "Sex", N, 1, 1, C, NO, SECRET
    CARDHOLDER_ADDRESS = 0x5F42, "Address", ANS, 0, 252, C, NO, SECRET
    DISPLAY_MESSAGE = 0x5F45, "Display Message", ANS, 0, 252, C
    CARDHOLDER_NAME = 0x5F20, "Cardholder Name", ANS, 2, 26, C, REC, SECRET
    EXPIRATION_DATE = 0x5F24, "Application Expiration Date", N, 3, 3, C, REC, SECRET
    EFFECTIVE_DATE = 0x5F25, "Application Effective Date", N, 3, 3, C, REC
    ISSUER_COUNTRY = 0x5F28, "Issuer Country Code", N, 2, 2, C, REC
    TRANSACTION_CURRENCY = 0x5F2A, "Transaction Currency Code", N, 2, 2, T
    LANGUAGE_PREFERENCE = 0x5F2D, "Language Preference", AN, 2, 8, C, FCI
    SERVICE_CODE = 0x5F30, "Service Code", N, 2, 2, C, REC, SECRET
    PAN_SEQUENCE = 0x5F34, "Application PAN Sequence Number", N, 1, 1, C, REC
    TRANSACTION_CURRENCY_EXPONENT = 0x5F36, "Transaction Currency Exponent", N, 1, 1, T
    ISSUER_URL = 0x5F50, "Issuer URL", ANS, 0, 252, C, APP
    IBAN = 0x5F53, "International Bank Account Number (IBAN)", VAR, 0, 34, C, APP, SECRET
    BIC = 0x5F54, "Bank Identifier Code (BIC)", VAR, 8, 11, C, APP
    ISSUER_COUNTRY_ALPHA2 = 0x5F55, "Issuer Country Code (alpha2 format)", A, 2, 2, C, APP
    ISSUER_COUNTRY_ALPHA3 = 0x5F56, "Issuer Country Code (alpha3 format)", A, 3, 3, C, APP
    ACCOUNT_TYPE = 0x5F57, "Account Type", N, 1, 1, T

    # Two bytes, 9F
    ACQUIRER_ID = 0x9F01, "Acquirer Identifier", N, 6, 6, T
    AMOUNT_AUTHORISED = 0x9F02, "Amount, Authorised (Numeric)", N, 6, 6, T
    AMOUNT_OTHER = 0x9F03, "Amount, Other (Numeric)", N, 6, 6, T
    AMOUNT_OTHER_BINARY = 0x9F04, "Amount, Other (Binary)", B, 4, 4, T
    APPLICATION_DISCRETIONARY = 0x9F05, "Application Discretionary Data", B, 1, 32, C, REC, SECRET
    AID_TERMINAL = 0x9F06, "Application Identifier (AID) - terminal", B, 5, 16, T
    USAGE_CONTROL = 0x9F07, "Application Usage Control", B, 2, 2, C, REC
    VERSION_CARD = 0x9F08, "Application Version Number (ICC)", B, 2, 2, C, REC
    VERSION_TERMINAL = 0x9F09, "Application Version Number (Terminal)", B, 2, 2, T
    SELECTION_REGISTERED = 0x9F0A, "Application Selection Registered Proprietary Data", B, 0, 252, C, APP
    CARDHOLDER_NAME_EXTENDED = 0x9F0B, "Cardholder Name Extended", ANS, 27, 45, C, REC, SECRET
    IINE = 0x9F0C, "Issuer Identification Number Extended (IINE)", N, 3, 4, C, APP
    IAC_DEFAULT = 0x9F0D, "Issuer Action Code - Default", B, 5, 5, C, REC
    IAC_DENIAL = 0x9F0E, "Issuer Action Code - Denial", B, 5, 5, C, REC
    IAC_ONLINE = 0x9F0F, "Issuer Action Code - Online", B, 5, 5, C, REC
    ISSUER_APPLICATION_DATA = 0x9F10, "Issuer Application Data (IAD)", B, 0, 32, C, GPO
    ISSUER_CODE_TABLE = 0x9F11, "Issuer Code Table Index", N, 1, 1, C, FCI
    PREFERRED_NAME = 0x9F12, "Application Preferred Name", ANS, 1, 16, C, (0x61, 0xA5)
    LAST_ONLINE_ATC = 0x9F13, "Last Online ATC Register", B, 2, 2, C
    LOWER_OFFLINE_LIMIT = 0x9F14, "Lower Consecutive Offline Limit", B, 1, 1, C, REC
    MERCHANT_CATEGORY = 0x9F15, "Merchant Category Code", N, 2, 2, T
    MERCHANT_ID = 0x9F16, "Merchant Identifier", ANS, 15, 15, T
    PIN_TRY_COUNTER = 0x9F17, "PIN Try Counter", B, 1, 1, C
    ISSUER_SCRIPT_ID = 0x9F18, "Issuer Script Identifier", B, 4, 4, I, (0x71, 0x72)
    TOKEN_REQUESTOR = 0x9F19, "Token Requestor ID", N, 6, 6, C, REC
    TERMINAL_COUNTRY = 0x9F1A, "Terminal Country Code", N, 2, 2, T
    TERMINAL_FLOOR_LIMIT = 0x9F1B, "Terminal Floor Limit", B, 4, 4, T
    TERMINAL_ID = 0x9F1C, "Terminal Identification", AN, 8, 8, T
    TERMINAL_RISK_DATA = 0x9F1D, "Terminal Risk Management Data", B, 1, 8, T
    IFD_SERIAL = 0x9F1E, "Interface Device (IFD) Serial Number", AN, 8, 8, T
    TRACK_1_DISCRETIONARY = 0x9F1F, "Track 1 Discretionary Data", ANS, 0, 54, C, REC, SECRET
    TRACK_2_DISCRETIONARY = 0x9F20, "Track 2 Discretionary Data", CN, 0, 19, C, REC, SECRET
    TRANSACTION_TIME = 0x9F21, "Transaction Time", N, 3, 3, T
    CA_KEY_INDEX_TERMINAL = 0x9F22, "Certification Authority Public Key Index (Terminal)", B, 1, 1, T
    UPPER_OFFLINE_LIMIT = 0x9F23, "Upper Consecutive Offline Limit", B, 1, 1, C, REC
    PAR = 0x9F24, "Payment Account Reference (PAR)", AN, 29, 29, C, REC
    LAST_4_OF_PAN = 0x9F25, "Last 4 Digits of PAN", N, 2, 2, C, REC
    CRYPTOGRAM = 0x9F26, "Application Cryptogram", B, 8, 8, C, GPO
    CID = 0x9F27, "Cryptogram Information Data (CID)", B, 1, 1, C, GPO
    EXTENDED_SELECTION = 0x9F29, "Extended Selection", B, 0, 16, C, (0x61,)
    KERNEL_IDENTIFIER = 0x9F2A, "Kernel Identifier", B, 0, 8, C, (0x61,)
    BIOMETRIC_TERMINAL_CAPABILITIES = 0x9F30, "Biometric Terminal Capabilities", B, 3, 3, T
    CARD_BIT_GROUP = 0x9F31, "Card BIT Group Template", B, 0, 252, C, REC
    ICC_PIN_CERTIFICATE = 0x9F2D, "ICC PIN Encipherment Public Key Certificate", B, 0, 248, C, ODA
    ICC_PIN_EXPONENT = 0x9F2E, "ICC PIN Encipherment Public Key Exponent", B, 1, 3, C, ODA
    ICC_PIN_REMAINDER = 0x9F2F, "ICC PIN Encipherment Public Key Remainder", B, 0, 42, C, ODA
    ISSUER_EXPONENT = 0x9F32, "Issuer Public Key Exponent", B, 1, 3, C, ODA
    TERMINAL_CAPABILITIES = 0x9F33, "Terminal Capabilities", B, 3, 3, T
    CVM_RESULTS = 0x9F34, "Cardholder Verification Method (CVM) Results", B, 3, 3, T
    TERMINAL_TYPE = 0x9F35, "Terminal Type", N, 1, 1, T
    ATC = 0x9F36, "Application Transaction Counter (ATC)", B, 2, 2, C, GPO
    UNPREDICTABLE_NUMBER = 0x9F37, "Unpredictable Number", B, 4, 4, T
    PDOL = 0x9F38, "Processing Options Data Object List (PDOL)", B, 0, 252, C, FCI
    POS_ENTRY_MODE = 0x9F39, "Point-of-Service (POS) Entry Mode", N, 1, 1, T
    AMOUNT_REFERENCE = 0x9F3A, "Amount, Reference Currency", B, 4, 4, T
    APPLICATION_REFERENCE_CURRENCY = 0x9F3B, "Application Reference Currency", N, 2, 8, C, REC
    REFERENCE_CURRENCY = 0x9F3C, "Transaction Reference Currency Code", N, 2, 2, T
    REFERENCE_CURRENCY_EXPONENT = 0x9F3D, "Transaction Reference Currency Exponent", N, 1, 1, T
    ADDITIONAL_CAPABILITIES = 0x9F40, "Additional Terminal Capabilities", B, 5, 5, T
    SEQUENCE_COUNTER = 0x9F41, "Transaction Sequence Counter", N, 2, 4, T
    APPLICATION_CURRENCY = 0x9F42, "Application Currency Code", N, 2, 2, C, REC
    APPLICATION_REFERENCE_EXPONENT = 0x9F43, "Application Reference Currency Exponent", N, 1, 4, C, REC
    APPLICATION_CURRENCY_EXPONENT = 0x9F44, "Application Currency Exponent", N, 1, 1, C, REC
    DATA_AUTHENTICATION_CODE = 0x9F45, "Data Authentication Code", B, 2, 2, C
    ICC_CERTIFICATE = 0x9F46, "ICC Public Key Certificate", B, 0, 248, C, ODA
    ICC_EXPONENT = 0x9F47, "ICC Public Key Exponent", B, 1, 3, C, ODA
    ICC_REMAINDER = 0x9F48, "ICC Public Key Remainder", B, 0, 248, C, ODA
    DDOL = 0x9F49, "Dynamic Data Authentication Data Object List (DDOL)", B, 0, 252, C, REC
    SDA_TAG_LIST = 0x9F4A, "Static Data Authentication Tag List", B, 0, 252, C, REC
    SIGNED_DYNAMIC_DATA = 0x9F4B, "Signed Dynamic Application Data", B, 0, 248, C, GPO
    ICC_DYNAMIC_NUMBER = 0x9F4C, "ICC Dynamic Number", B, 2, 8, C
    LOG_ENTRY = 0x9F4D, "Log Entry", B, 2, 2, C, APP
    MERCHANT_NAME = 0x9F4E, "Merchant Name and Location", ANS, 0, 252, T
    LOG_FORMAT = 0x9F4F, "Log Format", B, 0, 252, C
    OFFLINE_BALANCE = 0x9F50, "Offline Accumulator Balance", N, 6, 6, C
    DRDOL = 0x9F51, "DRDOL", B, 0, 250, C, REC
    APPLICATION_DEFAULT_ACTION = 0x9F52, "Application Default Action (ADA)", B, 2, 6, C
    TRANSACTION_CATEGORY = 0x9F53, "Transaction Category Code", AN, 1, 1, T
    DS_ODS_CARD = 0x9F54, "DS ODS Card", B, 0, 160, C
    GEOGRAPHIC_INDICATOR = 0x9F55, "Geographic Indicator", B, 1, 1, C
    ISSUER_AUTHENTICATION_INDICATOR = 0x9F56, "Issuer Authentication Indicator", B, 1, 32, C
    ISSUER_COUNTRY_PROPRIETARY = 0x9F57, "Issuer Country Code", N, 2, 2, C
    LOWER_OFFLINE_LIMIT_PROPRIETARY = 0x9F58, "Lower Consecutive Offline Limit (Card Check)", B, 1, 1, C
    UPPER_OFFLINE_LIMIT_PROPRIETARY = 0x9F59, "Upper Consecutive Offline Limit (Card Check)", B, 1, 1, C
    APPLICATION_PROGRAM_ID = 0x9F5A, "Application Program Identifier", B, 1, 16, C, (0xBF0C,)
    DSDOL = 0x9F5B, "DSDOL", B, 0, 250, C, REC
    DS_REQUESTED_OPERATOR = 0x9F5C, "DS Requested Operator ID", B, 8, 8, T
    AVAILABLE_OFFLINE_SPENDING = 0x9F5D, "Available Offline Spending Amount (AOSA)", N, 6, 6, C, GPO
    DS_ID = 0x9F5E, "Data Storage Identifier", N, 8, 11, C
    DS_SLOT_AVAILABILITY = 0x9F5F, "DS Slot Availability", B, 1, 1, C
    CVC3_TRACK_1 = 0x9F60, "CVC3 (Track1)", B, 2, 2, C, NO, SECRET
    CVC3_TRACK_2 = 0x9F61, "CVC3 (Track2)", B, 2, 2, C, NO, SECRET
    PCVC3_TRACK_1 = 0x9F62, "PCVC3 (Track1)", B, 6, 6, C, REC
    PUNATC_TRACK_1 = 0x9F63, "PUNATC (Track1)", B, 6, 6, C, REC
    NATC_TRACK_1 = 0x9F64, "NATC (Track1)", B, 1, 1, C, REC
    PCVC3_TRACK_2 = 0x9F65, "PCVC3 (Track2)", B, 2, 2, C, REC
    TTQ = 0x9F66, "Terminal Transaction Qualifiers (TTQ)", B, 4, 4, T
    NATC_TRACK_2 = 0x9F67, "NATC (Track2)", B, 1, 1, C, REC
    CARD_ADDITIONAL_PROCESSES = 0x9F68, "Card Additional Processes", B, 4, 4, C, REC
    CARD_AUTHENTICATION_DATA = 0x9F69, "Card Authentication Related Data", B, 5, 16, C, REC
    UNPREDICTABLE_NUMBER_NUMERIC = 0x9F6A, "Unpredictable Number (Numeric)", N, 4, 4, T
    TRACK_2_MAGSTRIPE = 0x9F6B, "Track 2 Data", B, 0, 19, C, REC, SECRET
    CTQ = 0x9F6C, "Card Transaction Qualifiers (CTQ)", B, 2, 2, C, (0x70, 0x77)
    MAGSTRIPE_VERSION = 0x9F6D, "Mag-stripe Application Version Number (Reader)", B, 2, 2, T
    FORM_FACTOR = 0x9F6E, "Form Factor Indicator (FFI)", B, 4, 32, C, (0x70, 0x77)
    DS_SLOT_MANAGEMENT = 0x9F6F, "DS Slot Management Control", B, 1, 1, C
    PROTECTED_DATA_1 = 0x9F70, "Protected Data Envelope 1", B, 0, 192, C, NO, SECRET
    PROTECTED_DATA_2 = 0x9F71, "Protected Data Envelope 2", B, 0, 192, C, NO, SECRET
    PROTECTED_DATA_3 = 0x9F72, "Protected Data Envelope 3", B, 0, 192, C, NO, SECRET
    PROTECTED_DATA_4 = 0x9F73, "Protected Data Envelope 4", B, 0, 192, C, NO, SECRET
    PROTECTED_DATA_5 = 0x9F74, "Protected Data Envelope 5", B, 0, 192, C, NO, SECRET
    UNPROTECTED_DATA_1 = 0x9F75, "Unprotected Data Envelope 1", B, 0, 192, C, NO, SECRET
    UNPROTECTED_DATA_2 = 0x9F76, "Unprotected Data Envelope 2", B, 0, 192, C, NO, SECRET
    UNPROTECTED_DATA_3 = 0x9F77, "Unprotected Data Envelope 3", B, 0, 192, C, NO, SECRET
    UNPROTECTED_DATA_4 = 0x9F78, "Unprotected Data Envelope 4", B, 0, 192, C, NO, SECRET
    UNPROTECTED_DATA_5 = 0x9F79, "Unprotected Data Envelope 5", B, 0, 192, C, NO, SECRET
    MERCHANT_CUSTOM_DATA = 0x9F7C, "Customer Exclusive Data", B, 0, 32, ANY, NO, SECRET
    DS_SUMMARY_1 = 0x9F7D, "DS Summary 1", B, 8, 16, C
    FUNDS_TERMINAL_INDICATOR = 0x9F7A, "VLP/EC Terminal Support Indicator", B, 1, 1, T
    FUNDS_TERMINAL_LIMIT = 0x9F7B, "VLP/EC Terminal Transaction Limit", N, 6, 6, T
    MOBILE_SUPPORT = 0x9F7E, "Mobile Support Indicator", B, 1, 1, T
    CPLC = 0x9F7F, "Card Production Life Cycle (CPLC) History File Identifiers", B, 0, 42, C
    OFFLINE_BIT_GROUP = 0xBF4A, "Offline BIT Group Template", VAR, 0, 252, C
    ONLINE_BIT_GROUP = 0xBF4B, "Online BIT Group Template", VAR, 0, 252, C
    BIOMETRIC_TRY_COUNTERS = 0xBF4C, "Biometric Try Counters Template", VAR, 0, 252, C
    PREFERRED_ATTEMPTS = 0xBF4D, "Preferred Attempts Template", VAR, 0, 252, T
    BIOMETRIC_VERIFICATION = 0xBF4E, "Biometric Verification Data Template", VAR, 0, 255, T
    FCI_DISCRETIONARY = 0xBF0C, "FCI Issuer Discretionary Data", VAR, 0, 222, C, FCI
    FACIAL_TRY_COUNTER = 0xDF50, "Facial Try Counter", B, 1, 1, C, (0xBF4C,)
    FINGER_TRY_COUNTER = 0xDF51, "Finger Try Counter", B, 1, 1, C, (0xBF4C,)
    IRIS_TRY_COUNTER = 0xDF52, "Iris Try Counter", B, 1, 1, C, (0xBF4C,)
    PALM_TRY_COUNTER = 0xDF53, "Palm Try Counter", B, 1, 1, C, (0xBF4C,)
    VOICE_TRY_COUNTER = 0xDF54, "Voice Try Counter", B, 1, 1, C, (0xBF4C,)

    # Three bytes: Book C-2
    DS_SUMMARY_2 = 0xDF8101, "DS Summary 2", B, 8, 16, C
    DS_SUMMARY_3 = 0xDF8102, "DS Summary 3", B, 8, 16, C
    BALANCE_BEFORE_AC = 0xDF8104, "Balance Read Before Gen AC", N, 6, 6, T
    BALANCE_AFTER_AC = 0xDF8105, "Balance Read After Gen AC", N, 6, 6, T
    DATA_NEEDED = 0xDF8106, "Data Needed", B, 0, 252, T
    CDOL1_RELATED_DATA = 0xDF8107, "CDOL1 Related Data", B, 0, 252, T
    DS_AC_TYPE = 0xDF8108, "DS AC Type", B, 1, 1, T
    DS_INPUT_TERMINAL = 0xDF8109, "DS Input (Term)", B, 8, 8, T
    DS_ODS_INFO_READER = 0xDF810A, "DS ODS Info For Reader", B, 1, 1, T
    DS_SUMMARY_STATUS = 0xDF810B, "DS Summary Status", B, 1, 1, T
    KERNEL_ID = 0xDF810C, "Kernel ID", B, 1, 1, T
    DSVN_TERMINAL = 0xDF810D, "DSVN Term", B, 1, 1, T
    POST_AC_PUT_DATA = 0xDF810E, "Post-Gen AC Put Data Status", B, 1, 1, T
    PRE_AC_PUT_DATA = 0xDF810F, "Pre-Gen AC Put Data Status", B, 1, 1, T
    PROCEED_TO_FIRST_WRITE = 0xDF8110, "Proceed To First Write Flag", B, 1, 1, T
    PDOL_RELATED_DATA = 0xDF8111, "PDOL Related Data", B, 0, 252, T
    TAGS_TO_READ = 0xDF8112, "Tags To Read", B, 0, 252, T
    DRDOL_RELATED_DATA = 0xDF8113, "DRDOL Related Data", B, 0, 252, T
    REFERENCE_CONTROL = 0xDF8114, "Reference Control Parameter", B, 1, 1, T
    RELAY_ENTROPY = 0xDF8301, "Terminal Relay Resistance Entropy", B, 4, 4, T
    DEVICE_RELAY_ENTROPY = 0xDF8302, "Device Relay Resistance Entropy", B, 4, 4, C
    RELAY_MIN_TIME = 0xDF8303, "Min Time For Processing Relay Resistance APDU", B, 2, 2, C
    RELAY_MAX_TIME = 0xDF8304, "Max Time For Processing Relay Resistance APDU", B, 2, 2, C
    RELAY_TRANSMISSION_TIME = 0xDF8305, "Device Estimated Transmission Time", B, 2, 2, C
    RELAY_PROCESSING_TIME = 0xDF8306, "Measured Relay Resistance Processing Time", B, 2, 2, T
    RELAY_COUNTER = 0xDF8307, "RRP Counter", B, 1, 1, T
    ERROR_INDICATION = 0xDF8115, "Error Indication", B, 6, 6, T
    USER_INTERFACE_REQUEST = 0xDF8116, "User Interface Request Data", B, 22, 22, T
    CARD_DATA_INPUT_CAPABILITY = 0xDF8117, "Card Data Input Capability", B, 1, 1, T
    CVM_CAPABILITY_REQUIRED = 0xDF8118, "CVM Capability - CVM Required", B, 1, 1, T
    CVM_CAPABILITY_NOT_REQUIRED = 0xDF8119, "CVM Capability - No CVM Required", B, 1, 1, T
    DEFAULT_UDOL = 0xDF811A, "Default UDOL", B, 0, 255, T
    KERNEL_CONFIGURATION = 0xDF811B, "Kernel Configuration", B, 1, 1, T
    TORN_LIFETIME = 0xDF811C, "Max Lifetime of Torn Transaction Log Record", B, 2, 2, T
    TORN_COUNT = 0xDF811D, "Max Number of Torn Transaction Log Records", B, 1, 1, T
    MAGSTRIPE_CVM_REQUIRED = 0xDF811E, "Mag-stripe CVM Capability - CVM Required", B, 1, 1, T
    SECURITY_CAPABILITY = 0xDF811F, "Security Capability", B, 1, 1, T
    TAC_DEFAULT = 0xDF8120, "Terminal Action Code - Default", B, 5, 5, T
    TAC_DENIAL = 0xDF8121, "Terminal Action Code - Denial", B, 5, 5, T
    TAC_ONLINE = 0xDF8122, "Terminal Action Code - Online", B, 5, 5, T
    READER_FLOOR_LIMIT = 0xDF8123, "Reader Contactless Floor Limit", N, 6, 6, T
    READER_LIMIT_NO_DEVICE_CVM = 0xDF8124, "Reader Contactless Transaction Limit (no CDCVM)", N, 6, 6, T
    READER_LIMIT_DEVICE_CVM = 0xDF8125, "Reader Contactless Transaction Limit (CDCVM)", N, 6, 6, T
    READER_CVM_LIMIT = 0xDF8126, "Reader CVM Required Limit", N, 6, 6, T
    TIME_OUT = 0xDF8127, "Time Out Value", B, 2, 2, T
    IDS_STATUS = 0xDF8128, "IDS Status", B, 1, 1, T
    OUTCOME_PARAMETERS = 0xDF8129, "Outcome Parameter Set", B, 8, 8, T
    DD_CARD_TRACK_1 = 0xDF812A, "DD Card (Track1)", ANS, 0, 56, T, NO, SECRET
    DD_CARD_TRACK_2 = 0xDF812B, "DD Card (Track2)", CN, 0, 11, T, NO, SECRET
    MAGSTRIPE_NO_CVM_REQUIRED = 0xDF812C, "Mag-stripe CVM Capability - No CVM Required", B, 1, 1, T
    MESSAGE_HOLD_TIME = 0xDF812D, "Message Hold Time", N, 3, 3, T
    HOLD_TIME = 0xDF8130, "Hold Time Value", B, 1, 1, T
    PHONE_MESSAGE_TABLE = 0xDF8131, "Phone Message Table", B, 0, 65535, T
    RELAY_MIN_GRACE = 0xDF8132, "Minimum Relay Resistance Grace Period", B, 2, 2, T
    RELAY_MAX_GRACE = 0xDF8133, "Maximum Relay Resistance Grace Period", B, 2, 2, T
    RELAY_COMMAND_TIME = (
        0xDF8134,
        "Terminal Expected Transmission Time For Relay Resistance C-APDU",
        B,
        2,
        2,
        T,
    )
    RELAY_RESPONSE_TIME = (
        0xDF8135,
        "Terminal Expected Transmission Time For Relay Resistance R-APDU",
        B,
        2,
        2,
        T,
    )
    RELAY_ACCURACY = 0xDF8136, "Relay Resistance Accuracy Threshold", B, 2, 2, T
    RELAY_MISMATCH = 0xDF8137, "Relay Resistance Transmission Time Mismatch Threshold", B, 1, 1, T
    TORN_RECORD = 0xFF8101, "Torn Record", VAR, 0, 65535, T
    WRITE_BEFORE_AC = 0xFF8102, "Tags To Write Before Gen AC", VAR, 0, 65535, T
    WRITE_AFTER_AC = 0xFF8103, "Tags To Write After Gen AC", VAR, 0, 65535, T
    DATA_TO_SEND = 0xFF8104, "Data To Send", VAR, 0, 65535, T
    DATA_RECORD = 0xFF8105, "Data Record", VAR, 0, 65535, T
    DISCRETIONARY_DATA = 0xFF8106, "Discretionary Data", VAR, 0, 65535, T


MEANINGS: dict[tuple[int, int], TagInfo] = {
    (2, 0x9F5D): TagInfo("Application Capabilities Information", B, 3, 3, C, (0xBF0C,), False),
    (2, 0x9F66): TagInfo("PUNATC (Track2)", B, 2, 2, C, (0x70,), False),
    (2, 0x9F69): TagInfo("UDOL", B, 0, 250, C, (0x70,), False),
    (2, 0x9F6B): TagInfo("Track 2 Data", B, 7, 19, C, (0x70,), True),
    (2, 0x9F6E): TagInfo("Third Party Data", B, 5, 32, C, (0x70, 0xBF0C), False),
    (2, 0x9F7C): TagInfo("Merchant Custom Data", B, 20, 20, T, (), False),
    (2, 0xDF4B): TagInfo("POS Cardholder Interaction Information", B, 3, 3, C, (), False),
    (2, 0xDF60): TagInfo("DS Input (Card)", B, 8, 8, C, (), False),
    (2, 0xDF61): TagInfo("DS Digest H", B, 8, 8, T, (), False),
    (2, 0xDF62): TagInfo("DS ODS Info", B, 1, 1, C, (), False),
    (2, 0xDF63): TagInfo("DS ODS Term", B, 0, 160, T, (), False),
    (3, 0x9F50): TagInfo("Cumulative Total Transaction Amount", N, 6, 6, C, (), False),
    (3, 0x9F51): TagInfo("Application Currency Code", N, 2, 2, C, (), False),
    (3, 0x9F53): TagInfo("Consecutive Transaction Limit (International)", B, 1, 1, C, (), False),
    (3, 0x9F54): TagInfo("Cumulative Total Transaction Amount Limit", N, 6, 6, C, (), False),
    (3, 0x9F5B): TagInfo("Issuer Script Results", B, 5, 20, T, (), False),
    (3, 0x9F5C): TagInfo("Cumulative Total Transaction Amount Upper Limit", N, 6, 6, C, (), False),
    (3, 0x9F63): TagInfo("Offline Counter Initial Value", B, 1, 1, C, (), False),
    (3, 0x9F6B): TagInfo("Card CVM Limit", N, 6, 6, C, (), False),
    (3, 0x9F6E): TagInfo("Form Factor Indicator (FFI)", B, 4, 4, C, (0x70, 0x77), False),
    (3, 0x9F72): TagInfo("Consecutive Transaction Limit (International - Country)", B, 1, 1, C, (), False),
    (3, 0x9F73): TagInfo("Currency Conversion Parameters", B, 0, 20, C, (), False),
    (3, 0x9F76): TagInfo("Secondary Application Currency Code", N, 2, 10, C, (), False),
    (3, 0x9F77): TagInfo("VLP Funds Limit", N, 6, 6, C, (), False),
    (3, 0x9F78): TagInfo("VLP Single Transaction Limit", N, 6, 6, C, (), False),
    (3, 0x9F79): TagInfo("VLP Available Funds", N, 6, 6, C, (), False),
    (3, 0x9F7C): TagInfo("Customer Exclusive Data", B, 0, 32, C, (0x77, 0x70), True),
    (3, 0x9F7E): TagInfo("Application Life Cycle Data", B, 48, 48, C, (), False),
    (4, 0x9F6D): TagInfo("Contactless Reader Capabilities", B, 1, 1, T, (), False),
    (4, 0x9F6E): TagInfo("Enhanced Contactless Reader Capabilities", B, 4, 4, T, (), False),
    (4, 0x9F70): TagInfo("Card Interface and Payment Capabilities", B, 1, 2, C, (0x70, 0xBF0C), False),
    (4, 0x9F71): TagInfo("Mobile CVM Results", B, 3, 3, C, (0x77,), False),
    (5, 0x9F50): TagInfo("Cardholder Verification Status", B, 1, 1, C, (0x77,), False),
    (5, 0x9F52): TagInfo("Terminal Compatibility Indicator", B, 1, 1, T, (), False),
    (5, 0x9F53): TagInfo("Terminal Interchange Profile", B, 3, 3, T, (), False),
    (5, 0x9F60): TagInfo("Issuer Update Parameter", B, 1, 1, T, (), False),
    (6, 0x9F71): TagInfo("Card Processing Requirements (CPR)", B, 2, 2, C, (0x77,), False),
    (7, 0x9F50): TagInfo("Cumulative Total Transaction Amount", N, 6, 6, C, (), False),
    (7, 0x9F51): TagInfo("Application Currency Code", N, 2, 2, C, (), False),
    (7, 0x9F54): TagInfo("Cumulative Total Transaction Amount Limit", N, 6, 6, C, (), False),
    (7, 0x9F63): TagInfo("Product Identification Information", B, 16, 16, C, (0x70, 0x77), False),
    (7, 0x9F6B): TagInfo("Card CVM Limit", N, 6, 6, C, (), False),
    (7, 0x9F6D): TagInfo("EC Reset Threshold", N, 6, 6, C, (), False),
    (7, 0x9F74): TagInfo("EC Issuer Authorization Code", AN, 6, 6, C, (0x70, 0x77), False),
    (7, 0x9F77): TagInfo("EC Balance Limit", N, 6, 6, C, (), False),
    (7, 0x9F78): TagInfo("EC Single Transaction Limit", N, 6, 6, C, (), False),
    (7, 0x9F79): TagInfo("EC Balance", N, 6, 6, C, (), False),
}
"""What a tag means to one kernel, by (kernel, tag)."""

_BY_TAG = {int(tag): tag.info for tag in Tag}


def describe(tag: int, kernel: int = 0) -> TagInfo | None:
    """Return what is known of a tag, to one kernel if it is named, or None."""
    return MEANINGS.get((kernel, tag)) or _BY_TAG.get(tag)


def is_sensitive(tag: int) -> bool:
    """Say whether a value is never shown in clear. What is not in the table is not shown either."""
    info = _BY_TAG.get(tag)
    return info is None or info.sensitive
