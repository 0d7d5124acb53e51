"""What codes mean, in words: CVM codes, transaction types, response codes, device types...

A code that is not listed is shown as it is, never guessed.
"""

from __future__ import annotations

# EMV 4.4 Book 3, Annex C3, table 43; biometrics: EMV 4.4
CVM = {
    0x00: "Fail CVM processing",
    0x01: "Plaintext PIN verification performed by ICC",
    0x02: "Enciphered PIN verified online",
    0x03: "Plaintext PIN verification performed by ICC and signature (paper)",
    0x04: "Enciphered PIN verification performed by ICC",
    0x05: "Enciphered PIN verification performed by ICC and signature (paper)",
    0x06: "Facial biometric verified offline (by ICC)",
    0x07: "Facial biometric verified online",
    0x08: "Finger biometric verified offline (by ICC)",
    0x09: "Finger biometric verified online",
    0x0A: "Palm biometric verified offline (by ICC)",
    0x0B: "Palm biometric verified online",
    0x0C: "Iris biometric verified offline (by ICC)",
    0x0D: "Iris biometric verified online",
    0x0E: "Voice biometric verified offline (by ICC)",
    0x0F: "Voice biometric verified online",
    0x1E: "Signature (paper)",
    0x1F: "No CVM required",
}
CVM_NOT_PERFORMED = 0x3F

# EMV 4.4 Book 3, Annex C3, table 44
CVM_CONDITION = {
    0x00: "always",
    0x01: "if unattended cash",
    0x02: "if not unattended cash and not manual cash and not purchase with cashback",
    0x03: "if terminal supports the CVM",
    0x04: "if manual cash",
    0x05: "if purchase with cashback",
    0x06: "if transaction is in the application currency and is under X",
    0x07: "if transaction is in the application currency and is over X",
    0x08: "if transaction is in the application currency and is under Y",
    0x09: "if transaction is in the application currency and is over Y",
}

# EMV 4.4 Book 4, Annex A4
CVM_RESULT = {0x00: "unknown", 0x01: "failed", 0x02: "successful"}

# ISO 8583:1987, processing code
TRANSACTION_TYPE = {
    0x00: "Goods and services (purchase)",
    0x01: "Cash",
    0x02: "Debit adjustment",
    0x09: "Purchase with cashback",
    0x10: "Account funding",
    0x17: "Cash disbursement",
    0x20: "Refund",
    0x21: "Deposit",
    0x28: "Payment to the cardholder",
    0x30: "Inquiry",
    0x31: "Balance inquiry",
    0x40: "Transfer",
    0x50: "Payment",
    0x60: "Load",
    0x70: "PIN change",
}

# EMV 4.4 Book 3, Annex G
ACCOUNT_TYPE = {0x00: "Default", 0x10: "Savings", 0x20: "Cheque/debit", 0x30: "Credit"}

# ISO 8583:1987 and its common extensions
POS_ENTRY_MODE = {
    0x00: "Unknown",
    0x01: "Manual PAN entry",
    0x02: "Magnetic stripe",
    0x03: "Barcode",
    0x04: "OCR",
    0x05: "Integrated circuit card (ICC), CVV can be checked",
    0x07: "Contactless EMV",
    0x10: "Merchant has cardholder credentials on file",
    0x80: "Fallback from integrated circuit card (ICC) to magnetic stripe",
    0x90: "Magnetic stripe as read from track 2, CVV can be checked",
    0x91: "Contactless magnetic stripe",
    0x95: "Integrated circuit card (ICC), CVV may not be checked",
    0x99: "Same as original transaction",
}

# EMV 4.4 Book 4, Annex A1
TERMINAL_OPERATOR = {1: "financial institution", 2: "merchant", 3: "cardholder"}
TERMINAL_ENVIRONMENT = {
    1: "attended, online only",
    2: "attended, offline with online capability",
    3: "attended, offline only",
    4: "unattended, online only",
    5: "unattended, offline with online capability",
    6: "unattended, offline only",
}

# EMV 4.4 Book 3, Annex C (cryptogram information data)
ADVICE_REASON = {
    0: "",
    1: "Service not allowed",
    2: "PIN Try Limit exceeded",
    3: "Issuer authentication failed",
    4: "Other reason",
}

# EMV 4.4 Book 4, Annex A6 and ISO 8583
RESPONSE = {
    "Y1": "Offline approved",
    "Z1": "Offline declined",
    "Y2": "Approved after card-initiated referral",
    "Z2": "Declined after card-initiated referral",
    "Y3": "Unable to go online, offline approved",
    "Z3": "Unable to go online, offline declined",
    "00": "Approved or completed successfully",
    "01": "Refer to card issuer",
    "02": "Refer to card issuer's special conditions",
    "03": "Invalid merchant",
    "04": "Pick up card",
    "05": "Do not honour",
    "06": "Error",
    "07": "Pick up card, special condition",
    "08": "Honour with identification",
    "09": "Request in progress",
    "10": "Approved for partial amount",
    "11": "Approved (VIP)",
    "12": "Invalid transaction",
    "13": "Invalid amount",
    "14": "Invalid card number",
    "15": "No such issuer",
    "17": "Customer cancellation",
    "19": "Re-enter transaction",
    "1A": "Additional customer authentication required",
    "21": "No action taken",
    "25": "Unable to locate record on file",
    "30": "Format error",
    "33": "Expired card, pick up",
    "34": "Suspected fraud, pick up",
    "36": "Restricted card, pick up",
    "38": "Allowable PIN tries exceeded, pick up",
    "39": "No credit account",
    "40": "Requested function not supported",
    "41": "Lost card, pick up",
    "43": "Stolen card, pick up",
    "46": "Closed account",
    "51": "Not sufficient funds",
    "52": "No chequing account",
    "53": "No savings account",
    "54": "Expired card",
    "55": "Incorrect personal identification number (PIN)",
    "57": "Transaction not permitted to cardholder",
    "58": "Transaction not permitted to terminal",
    "59": "Suspected fraud",
    "61": "Exceeds withdrawal amount limit",
    "62": "Restricted card",
    "63": "Security violation",
    "64": "Original amount incorrect",
    "65": "Exceeds withdrawal frequency limit",
    "68": "Response received too late",
    "70": "PIN data required",
    "75": "Allowable number of PIN tries exceeded",
    "78": "Deactivated or blocked card",
    "85": "No reason to decline",
    "90": "Cutoff is in process",
    "91": "Issuer or switch is unavailable or inoperative",
    "92": "No route to the financial institution",
    "93": "Transaction cannot be completed, violation of law",
    "94": "Duplicate transmission",
    "96": "System malfunction",
}

# EMV Book B, 3.3 (kernel identifiers) and Book 3, 9F2A
KERNEL = {
    1: "C-1 (legacy)",
    2: "C-2 (Mastercard)",
    3: "C-3 (Visa)",
    4: "C-4 (American Express)",
    5: "C-5 (JCB)",
    6: "C-6 (Discover)",
    7: "C-7 (UnionPay)",
    8: "C-8",
}

# Mastercard device types, format an 2: 00 to 19 from M/Chip requirements, 20 to 33 unverified
DEVICE_TYPE = {
    "00": "Card",
    "01": "Phone, removable secure element of the network operator (SIM)",
    "02": "Key fob",
    "03": "Watch",
    "04": "Mobile tag",
    "05": "Wristband",
    "06": "Mobile phone case or sleeve",
    "07": "Phone, fixed secure element of the network operator",
    "08": "Removable secure element for a phone, not of the network operator",
    "09": "Phone, fixed secure element, not of the network operator",
    "10": "Tablet, removable secure element of the network operator (SIM)",
    "11": "Tablet, fixed secure element of the network operator",
    "12": "Removable secure element for a tablet, not of the network operator",
    "13": "Tablet, fixed secure element, not of the network operator",
    "14": "Phone, application in a host processor",
    "15": "Tablet, application in a host processor",
    "16": "Phone, application in a trusted execution environment",
    "17": "Tablet, application in a trusted execution environment",
    "18": "Watch, application in a trusted execution environment",
    "19": "Watch, application in a host processor",
    "20": "Card",
    "21": "Phone (mobile phone)",
    "22": "Tablet or e-reader",
    "23": "Watch or wristband",
    "24": "Sticker",
    "25": "PC or laptop",
    "26": "Device peripheral (mobile phone case or sleeve)",
    "27": "Tag (key fob or mobile tag)",
    "28": "Jewelry",
    "29": "Fashion accessory",
    "30": "Garment",
    "31": "Domestic appliance",
    "32": "Vehicle",
    "33": "Media or gaming device",
}

# M/Chip requirements, product extension for transit
TRANSIT_CONCESSION = {
    1: "Senior citizen",
    2: "Student",
    3: "Active military and veterans",
    4: "Low income household",
    5: "Disability",
    6: "Minor child",
    7: "Transit staff",
    8: "City, government or preferred employees",
}

# EMV 4.4 Book 3, 9F0A: registered proprietary data identifiers and the European debit/credit marking
SELECTION_DATA_OWNER = {
    0x0001: "European Cards Stakeholders Group",
    0x0003: "Technical Cooperation ep2 Association",
}
PRODUCT_TYPE = {1: "Debit", 2: "Credit", 3: "Commercial", 4: "Pre-paid"}
