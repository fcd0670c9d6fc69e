"""The voice of customers: what is said in feedback, sorted, corrected by people, and put together by problem."""
